import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../telemetry/request-record.js';
import { BodyPieces } from './body-pieces.js';
import { HeldBody } from './held-body.js';

/** Ends an upload, which counts no more from then on. */
type Refuse = (error: Error) => void;

/** Reads request bodies, within the limits of size, time and total memory. */
@Injectable()
export class RequestBodyService {
  private readonly limits: Config['requests'];
  private heldBytes = 0;
  /** The bodies that are being received, the newest last. */
  private readonly uploads = new Set<Refuse>();

  constructor(@Inject(CONFIG) { requests }: Config) {
    this.limits = requests;
  }

  /**
   * The body counts against the total until it is released.
   *
   * @returns `undefined` if the client left meanwhile.
   * @throws {ApiError} `unsupported_encoding`, `request_too_large`, `request_timeout`, `overloaded`, `bad_request`
   */
  async read(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<HeldBody | undefined> {
    const { maxBytes, bodyTimeoutMs } = this.limits;
    if (!/^[ \t]*(?:identity)?[ \t]*$/i.test(request.headers['content-encoding'] ?? '')) {
      throw ApiError.unsupportedEncoding();
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw ApiError.requestTooLarge(maxBytes);
    if (awaitsContinue(request)) response.writeContinue();

    const pieces = new BodyPieces();
    let heldBytes = 0;
    const release = () => {
      this.heldBytes -= heldBytes;
      heldBytes = 0;
    };

    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
    const onData = (piece: Buffer) => {
      heldBytes += piece.length;
      this.heldBytes += piece.length;
      record.bytesIn += piece.length;
      pieces.push(piece);
      if (heldBytes > maxBytes) refuse(ApiError.requestTooLarge(maxBytes));
      else this.keepWithinBudget();
    };
    const onEnd = () => resolve(pieces.take());
    const refuse: Refuse = (error) => {
      request.off('data', onData).off('end', onEnd);
      this.uploads.delete(refuse);
      pieces.clear();
      release();
      reject(error);
    };
    const timer = setTimeout(() => refuse(ApiError.requestTimeout()), bodyTimeoutMs);
    this.uploads.add(refuse);
    request
      .on('data', onData)
      .once('end', onEnd)
      .once('close', () => resolve(undefined))
      // An error of the router's own says what is wrong with the body; any other, that the client left.
      .once('error', (error) => (error instanceof ApiError ? refuse(error) : resolve(undefined)));
    try {
      const bytes = await promise;
      if (bytes) return new HeldBody(bytes, release);
      pieces.clear();
      release();
      return undefined;
    } finally {
      clearTimeout(timer);
      this.uploads.delete(refuse);
      request.off('data', onData);
    }
  }

  /** Refuses the newest of the bodies that are being received until the others fit. */
  private keepWithinBudget(): void {
    while (this.heldBytes > this.limits.maxInflightBytes) {
      const newest = [...this.uploads].at(-1);
      if (!newest) return;
      newest(ApiError.overloadedUpload());
    }
  }
}

function awaitsContinue({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect !== undefined;
}
