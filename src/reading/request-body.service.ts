import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../request/request-record.js';
import { MemoryBudget } from '../runtime/memory-budget.js';
import { Roster } from '../runtime/roster.js';
import { countReadStep } from '../runtime/turn-limit.timer.js';
import { BodyPieces } from './body-pieces.js';
import { HeldBody } from './held-body.js';

/** A body that is being received. */
interface Upload {
  /** The later it began, the higher. */
  readonly number: number;
  /** Ends the upload, which counts no more from then on. */
  readonly refuse: (error: Error) => void;
}

/** Reads request bodies, within the limits of size, time and total memory. */
@Injectable()
export class RequestBodyService {
  private readonly limits: Config['requests'];
  private readonly uploads = new Roster<Upload>();
  private begun = 0;

  constructor(
    @Inject(CONFIG) { requests }: Config,
    private readonly budget: MemoryBudget,
  ) {
    this.limits = requests;
  }

  /**
   * The body counts against the total until it is released.
   *
   * @returns at once a body that came along with its headers, if the parser has had its turn since these were read; `undefined`
   *   if the client left meanwhile.
   * @throws {ApiError} `unsupported_encoding`, `request_too_large`, `request_timeout`, `overloaded`, `bad_request`
   */
  read(record: RequestRecord): HeldBody | Promise<HeldBody | undefined> {
    const { maxBytes } = this.limits;
    const { request, response } = record;
    const { 'content-encoding': encoding, 'content-length': length } = request.headers;
    if (encoding !== undefined && !/^[ \t]*(?:identity)?[ \t]*$/i.test(encoding)) {
      throw ApiError.unsupportedEncoding();
    }
    if (length !== undefined && Number(length) > maxBytes) throw ApiError.requestTooLarge(maxBytes);
    if (awaitsContinue(request)) response.writeContinue();
    const isThere = length !== undefined && request.readableLength === Number(length);
    return isThere ? this.takeWhole(record) : this.receive(record);
  }

  private takeWhole(record: RequestRecord): HeldBody {
    const bytes = record.request.read() as Buffer | null;
    const length = bytes?.length ?? 0;
    record.bytesIn = length;
    // Of all that are being received it is the newest.
    if (!this.budget.makeRoom(length)) throw ApiError.overloadedUpload();
    this.budget.take(length);
    return new HeldBody(bytes ? [bytes] : [], () => this.budget.giveBack(length));
  }

  private async receive(record: RequestRecord): Promise<HeldBody | undefined> {
    const { request } = record;
    const { maxBytes, maxInflightBytes, bodyTimeoutMs } = this.limits;
    const { 'content-length': length } = request.headers;
    const pieces = new BodyPieces(
      length === undefined ? Math.min(maxBytes, maxInflightBytes) : Number(length),
    );
    let heldBytes = 0;
    const drop = () => {
      pieces.clear();
      this.budget.giveBack(heldBytes);
      heldBytes = 0;
    };

    const { promise, resolve, reject } = Promise.withResolvers<readonly Buffer[] | undefined>();
    const onData = (piece: Buffer) => {
      countReadStep();
      pieces.push(piece);
      this.budget.take(pieces.heldBytes - heldBytes);
      heldBytes = pieces.heldBytes;
      record.bytesIn = pieces.length;
      if (pieces.length > maxBytes) refuse(ApiError.requestTooLarge(maxBytes));
      else this.keepWithinBudget();
    };
    const onEnd = () => {
      this.uploads.remove(entry);
      resolve(pieces.take());
    };
    const leave = () => resolve(undefined);
    const refuse = (error: Error) => {
      request.off('data', onData).off('end', onEnd);
      this.uploads.remove(entry);
      drop();
      reject(error);
    };
    const timer = setTimeout(() => refuse(ApiError.requestTimeout()), bodyTimeoutMs);
    const entry = this.uploads.add({ number: this.begun++, refuse });
    request
      .on('data', onData)
      .on('end', onEnd)
      .on('close', leave)
      // An error of the router's own says what is wrong with the body; any other, that the client left.
      .on('error', (error) => (error instanceof ApiError ? refuse(error) : leave()));
    try {
      const whole = await promise;
      if (whole) return new HeldBody(whole, drop);
      drop();
      return undefined;
    } finally {
      clearTimeout(timer);
      this.uploads.remove(entry);
    }
  }

  /** Refuses the newest of the bodies that are being received until the others fit. Answers that are held give way first. */
  private keepWithinBudget(): void {
    while (this.budget.isOverdrawn && !this.budget.makeRoom(0)) {
      if (this.uploads.size === 0) return;
      const newest = [...this.uploads].reduce((a, b) => (a.number > b.number ? a : b));
      newest.refuse(ApiError.overloadedUpload());
    }
  }
}

function awaitsContinue({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect !== undefined;
}
