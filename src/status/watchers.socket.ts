import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { letBodyPass } from '../http-edge/send-error.socket.js';
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

interface Watcher {
  readonly record: RequestRecord;
  offered: number;
  /** As of the last comment. */
  taken: number;
}

/** Those who follow the events, a response each that does not end by itself. */
@Injectable()
export class Watchers implements BeforeApplicationShutdown {
  private readonly watchers = new Set<Watcher>();
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
    return [...this.watchers].map(({ record }) => bytesWaiting(record.response));
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
    const watcher: Watcher = { record, offered: 0, taken: 0 };
    this.watchers.add(watcher);
    response.once('close', () => this.remove(watcher));
    offer(watcher, COMMENT);
    this.comments ??= setInterval(() => this.comment(), COMMENT_EVERY_MS).unref();
  }

  /** Sends an event to all. One that somebody has no room for is left out for them. */
  send(event: string, data: object): void {
    const bytes = Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    for (const watcher of this.watchers) offer(watcher, bytes);
  }

  private comment(): void {
    for (const watcher of this.watchers) {
      const waiting = bytesWaiting(watcher.record.response);
      const taken = watcher.offered - waiting;
      if (waiting > 0 && taken <= watcher.taken) watcher.record.response.req.socket.resetAndDestroy();
      else offer(watcher, COMMENT);
      watcher.taken = taken;
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

function offer(watcher: Watcher, bytes: Buffer): void {
  const { record } = watcher;
  if (bytesWaiting(record.response) > MAX_WAITING_BYTES) return;
  record.response.write(bytes);
  record.bytesOut += bytes.length;
  watcher.offered += bytes.length;
}
