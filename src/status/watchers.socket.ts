import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { letBodyPass } from '../http-edge/pass-body.socket.js';
import { LifecycleService } from '../lifecycle/lifecycle.service.js';
import { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../request/request-record.js';
import { bytesWaiting } from '../runtime/bytes-waiting.socket.js';

/** A few people, with a few tabs each. */
export const MAX_WATCHERS = 64;
const COMMENT_EVERY_MS = 15_000;
/** Who has not taken as much as this gets nothing more until it has. */
const MAX_WAITING_BYTES = 262_144;

const COMMENT = Buffer.from(':\n\n');

/** One response, and how far its client has come with it. */
class Watcher {
  private flushed = 0;
  private flushedBefore = -1;
  private waitingBefore = 0;
  private readonly onFlushed = () => {
    this.flushed += 1;
  };

  constructor(readonly record: RequestRecord) {}

  get waiting(): number {
    return bytesWaiting(this.record.response);
  }

  /** Sends what there is room for. */
  offer(bytes: Buffer): void {
    if (this.waiting > MAX_WAITING_BYTES) return;
    this.record.response.write(bytes, this.onFlushed);
    this.record.bytesOut += bytes.length;
  }

  /** Whether not a byte has been taken since it was last asked for. */
  get hasStalled(): boolean {
    const { flushed, flushedBefore, waiting, waitingBefore } = this;
    this.flushedBefore = flushed;
    this.waitingBefore = waiting;
    // What was offered meanwhile only adds to what waits.
    return waitingBefore > 0 && flushed === flushedBefore && waiting >= waitingBefore;
  }
}

/** Those who follow the events, a response each that does not end by itself. */
@Injectable()
export class Watchers implements BeforeApplicationShutdown {
  private readonly watchers = new Set<Watcher>();
  private readonly arriving = new Subject<void>();
  /** Emits when somebody begins to watch. */
  readonly arrivals: Observable<void> = this.arriving;
  private comments: NodeJS.Timeout | undefined;

  constructor(private readonly lifecycle: LifecycleService) {
    // Whoever only watches is not to hold up the end.
    void lifecycle.stopping.then(() => this.end());
  }

  beforeApplicationShutdown(): void {
    this.end();
  }

  get count(): number {
    return this.watchers.size;
  }

  /** Bytes that each of them has not taken yet. */
  get waiting(): readonly number[] {
    return [...this.watchers].map(({ waiting }) => waiting);
  }

  /** @throws {ApiError} `overloaded`, `shutting_down` */
  add(record: RequestRecord): void {
    if (this.lifecycle.isStopping) throw ApiError.shuttingDown();
    if (this.watchers.size >= MAX_WATCHERS) throw ApiError.overloaded();
    const { id, request, response } = record;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': id,
    });
    letBodyPass(request);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const watcher = new Watcher(record);
    this.watchers.add(watcher);
    response.once('close', () => this.remove(watcher));
    watcher.offer(COMMENT);
    this.arriving.next();
    this.comments ??= setInterval(() => this.comment(), COMMENT_EVERY_MS).unref();
  }

  /** Sends an event to all. One that somebody has no room for is left out for them. */
  send(event: string, data: object): void {
    const bytes = Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    for (const watcher of this.watchers) watcher.offer(bytes);
  }

  private comment(): void {
    for (const watcher of this.watchers) {
      if (watcher.hasStalled) watcher.record.response.req.socket.resetAndDestroy();
      else watcher.offer(COMMENT);
    }
  }

  private remove(watcher: Watcher): void {
    this.watchers.delete(watcher);
    if (this.watchers.size > 0) return;
    clearInterval(this.comments);
    this.comments = undefined;
  }

  private end(): void {
    for (const { record } of this.watchers) record.response.end();
  }
}
