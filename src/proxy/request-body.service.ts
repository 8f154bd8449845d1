import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../telemetry/request-record.js';

/** A request body in memory. Counts against the budget until it is released. */
export interface HeldBody {
  readonly bytes: Buffer;
  release(): void;
}

/** Reads request bodies, within the limits of size, time and total memory. */
@Injectable()
export class RequestBodyService {
  private readonly limits: Config['requests'];
  private heldBytes = 0;

  constructor(@Inject(CONFIG) { requests }: Config) {
    this.limits = requests;
  }

  /**
   * @returns `undefined` if the client left meanwhile.
   * @throws {ApiError} `unsupported_encoding`, `request_too_large`, `request_timeout`, `overloaded`
   */
  async read(request: IncomingMessage, record: RequestRecord): Promise<HeldBody | undefined> {
    const { maxBytes, maxInflightBytes, bodyTimeoutMs } = this.limits;
    if (!/^[ \t]*(?:identity)?[ \t]*$/i.test(request.headers['content-encoding'] ?? '')) {
      throw ApiError.unsupportedEncoding();
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw ApiError.requestTooLarge(maxBytes);

    const chunks: Buffer[] = [];
    let size = 0;
    const release = () => {
      this.heldBytes -= size;
      size = 0;
    };

    const { promise, resolve, reject } = Promise.withResolvers<HeldBody | undefined>();
    const timer = setTimeout(() => reject(ApiError.requestTimeout()), bodyTimeoutMs);
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      this.heldBytes += chunk.length;
      record.bytesIn += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) reject(ApiError.requestTooLarge(maxBytes));
      else if (this.heldBytes > maxInflightBytes) reject(ApiError.overloadedUpload());
    };
    const onEnd = () =>
      resolve({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size), release });
    const onGone = () => resolve(undefined);
    request.on('data', onData).once('end', onEnd).once('close', onGone).once('error', onGone);
    try {
      const body = await promise;
      if (!body) release();
      return body;
    } catch (error) {
      release();
      throw error;
    } finally {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onGone);
    }
  }
}
