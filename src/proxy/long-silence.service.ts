import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import type { Dialect } from '../openai/dialect.js';
import type { RequestRecord } from '../request/request-record.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { isEventStream, isIdentityEncoded } from '../upstream/event-stream.js';
import type { Opened } from '../upstream/relay.service.js';
import type { UpstreamExchange } from '../upstream/upstream-exchange.client.js';
import { EarlyStream } from './early-stream.socket.js';
import { RefusedStream } from './refused-stream.timer.js';
import { Waiting } from './waiting.timer.js';

/** Sees clients of streams through the time until an answer is chosen. */
@Injectable()
export class LongSilenceService {
  private readonly intervalMs: number;

  constructor(
    @Inject(CONFIG) { attempts }: Config,
    private readonly deadlines: Deadlines,
  ) {
    this.intervalMs = attempts.keepAliveMs;
  }

  /**
   * Begins the stream of a client that waits for too long.
   *
   * @param dialect what the client speaks
   * @param attempts which settle before anything of an answer is written
   */
  seeThrough<T>(record: RequestRecord, dialect: Dialect, attempts: Promise<T>): Promise<T> {
    if (this.intervalMs === 0) return attempts;
    const waiting = new Waiting(record, dialect, this.intervalMs, this.deadlines);
    return attempts.finally(() => waiting.end());
  }

  /**
   * Tells an answer as an error where a stream has been begun and the answer is none.
   *
   * @returns whether it does; otherwise the answer is to be relayed.
   */
  takes(exchange: UpstreamExchange, { status, headers }: Opened, record: RequestRecord): boolean {
    const { early } = record;
    if (!(early instanceof EarlyStream)) return false;
    const isReadable = isIdentityEncoded(headers);
    if (status < 300 && isEventStream(headers) && isReadable) {
      record.early = undefined;
      return false;
    }
    record.phase = 'streaming';
    new RefusedStream(exchange, early, record, { status, isReadable }, this.deadlines).start();
    return true;
  }
}
