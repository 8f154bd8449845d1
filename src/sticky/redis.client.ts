import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.js';
import { refusalOf } from './redis-refusal.js';
import { RedisConnection, type RedisOptions } from './redis-connection.client.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Keeps a connection to Redis, and goes on trying while there is none. */
export class RedisClient {
  private connection: RedisConnection | undefined;
  private readonly closing = new AbortController();
  private isDown = false;
  /** Set when a connection has been given up since Redis had lost its role, until another one takes a pin. */
  private isDisplaced = false;
  /** What has been logged of the present connection. */
  private readonly troubles = new Set<string>();

  constructor(
    private readonly options: RedisOptions,
    private readonly logger: Logger,
  ) {}

  /** @throws without delay while there is no connection, else after the timeout at the latest */
  send(command: readonly string[]): Promise<unknown> {
    return this.connection?.send(command) ?? Promise.reject(new Error('There is no connection to Redis.'));
  }

  /** As {@link send}, for what only a primary does. */
  async set(command: readonly string[]): Promise<void> {
    await this.send(command);
    if (!this.isDisplaced) return;
    this.isDisplaced = false;
    this.found();
  }

  /** Connects; that there is no Redis is logged, not thrown. Resolves after {@link close}. */
  async run(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const connection = new RedisConnection(this.options, (reason) => this.report(reason));
      this.connection = connection;
      connection.open().then(
        () => this.opened(),
        () => {},
      );
      const reason = await connection.ended;
      this.connection = undefined;
      if (signal.aborted) return;
      // One that answers nothing but the handshake, or takes no pin, is no better than none.
      if (connection.hasAnswered && !this.isDisplaced) failures = 0;
      this.lost(reason);
      await pause(pauseMs(failures), undefined, { signal }).catch(() => {});
    }
  }

  close(): void {
    this.closing.abort();
    this.connection?.close('closed');
  }

  private opened(): void {
    if (!this.isDisplaced) this.found();
  }

  private found(): void {
    this.isDown = false;
    this.troubles.clear();
    this.logger.info('redis connected');
  }

  private lost(reason: string): void {
    this.logger[this.isDown ? 'debug' : 'warn']({ reason }, 'redis lost, going on without pins');
    this.isDown = true;
    this.isDisplaced ||= refusalOf(reason) === 'lost-role';
  }

  /** Once for each connection: of a Redis that is read-only or full every request would have something to say. */
  private report(reason: string): void {
    if (this.troubles.has(reason)) return;
    this.troubles.add(reason);
    const isCluster = refusalOf(reason) === 'cluster';
    this.logger.warn(
      { reason },
      isCluster ? 'redis is a cluster, which is not supported' : 'redis failed a command',
    );
  }
}

/** Random, so that replicas do not come all at once. */
function pauseMs(failures: number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return longest * (0.5 + Math.random() / 2);
}
