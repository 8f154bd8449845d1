import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { AgedPools } from '../egress/aged-pools.client.js';
import { Connector } from '../egress/connector.factory.js';
import { proxyChoice } from '../egress/proxy-choice.js';
import { contentCoding, withoutByteOrderMark } from './content-coding.js';

const MAX_DECODED_BYTES = 32 * 1024 * 1024;
const TOO_LARGE = `larger than ${MAX_DECODED_BYTES} bytes`;

const unzip = promisify(gunzip);

/** Why a fetch failed, in words fit for a log line. */
export class FetchError extends Error {}

/** Fetches a feed of the control plane. */
@Injectable()
export class CatalogClient implements OnApplicationShutdown {
  private readonly pools: AgedPools;
  private readonly timeoutMs: number;

  constructor(@Inject(CONFIG) { catalog, egress, upstream }: Config) {
    this.timeoutMs = catalog.timeoutMs;
    const { connect } = new Connector(catalog.timeoutMs, proxyChoice(egress));
    this.pools = new AgedPools({ allowH2: false, connect }, upstream.connectionMaxAgeMs);
  }

  /** The decoded body of a 200 answer. @throws {FetchError} for anything else, and after the timeout. */
  async get(url: URL): Promise<Buffer> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // A race: undici does not look at the signal while it connects.
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new FetchError(`no complete answer within ${this.timeoutMs} ms`);
        reject(error);
        abort.abort(error);
      }, this.timeoutMs);
    });
    try {
      return await Promise.race([this.download(url, abort.signal), timeout]);
    } catch (error) {
      // The address that the name had may be the reason.
      this.pools.renew(url.origin);
      throw error instanceof FetchError ? error : new FetchError(reasonOf(error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pools.destroy();
  }

  private async download(url: URL, signal: AbortSignal): Promise<Buffer> {
    const { statusCode, headers, body } = await this.pools.of(url.origin).request({
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'gzip' },
      headersTimeout: 0,
      bodyTimeout: 0,
      signal,
    });
    try {
      if (statusCode !== 200) throw new FetchError(`status ${statusCode}`);
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_DECODED_BYTES) throw new FetchError(TOO_LARGE);
        chunks.push(chunk);
      }
      return await decoded(Buffer.concat(chunks, bytes), headers['content-encoding']);
    } finally {
      body.on('error', () => {}).destroy();
    }
  }
}

async function decoded(body: Buffer, encoding: string | string[] | undefined): Promise<Buffer> {
  switch (contentCoding(encoding)) {
    case 'identity':
      return withoutByteOrderMark(body);
    case 'gzip':
      try {
        return withoutByteOrderMark(await unzip(body, { maxOutputLength: MAX_DECODED_BYTES }));
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw new FetchError(TOO_LARGE);
        throw error;
      }
    case 'unknown':
      throw new FetchError('an unknown content encoding');
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message);
}
