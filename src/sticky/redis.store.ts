import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '../telemetry/logger.js';
import {
  type Avoidance,
  avoidanceValue,
  MAX_AVOIDANCE_BYTES,
  readAvoidanceValue,
  withAvoidance,
} from './avoidance.js';
import type { ClientKey } from './client-key.js';
import type { Pin } from './pin.js';
import { MAX_PIN_BYTES, pinValue, readPinValue } from './pin-value.js';
import type { RedisOptions } from './redis-connection.client.js';
import { RedisClient } from './redis.client.js';
import type { StickyStore } from './sticky.store.js';

const PREFIX = 'chutes-autopilot:pin:';
/** Apart from the pins: a 2xx that was under way may set one meanwhile, and older replicas know of pins alone. */
const AVOIDED = 'chutes-autopilot:avoid:';

/** Deletes a pin on this very model. Redis runs a script without anything in between. */
const DROP = `
  local pin = redis.call('GET', KEYS[1])
  if pin and string.match(pin, '^%d+ (.+)$') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
  return 0`;

/**
 * Pins in Redis, for all replicas with the same `STICKY_HASH_SECRET`. It expires them; how many there may be is left to its
 * memory policy. Whatever Redis does, no operation takes longer than the timeout.
 */
export class RedisStore implements StickyStore, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly redis: RedisClient;
  private readonly ttl: string;

  /** @param ttlMs at least 1. */
  constructor({ ttlMs, ...options }: RedisOptions & { readonly ttlMs: number }, logger: Logger) {
    this.redis = new RedisClient(options, logger);
    this.ttl = String(ttlMs);
  }

  /** The replicas share their pins, and no other clock. */
  nowMs(): number {
    return Date.now();
  }

  onApplicationBootstrap(): void {
    void this.redis.run();
  }

  onApplicationShutdown(): void {
    this.redis.close();
  }

  /** @throws for something that is not a pin, too: the next 2xx overwrites it. */
  async get(key: ClientKey): Promise<Pin | undefined> {
    // Unlike GET it never sends more than this, whatever has been put there.
    const value = await this.redis.send(['GETRANGE', PREFIX + key, '0', String(MAX_PIN_BYTES - 1)]);
    if (value === '') return undefined;
    const pin = readPinValue(value);
    if (!pin) throw new Error('Redis holds something else than a pin.');
    return pin;
  }

  set(key: ClientKey, pin: Pin): Promise<unknown> {
    return this.redis.set(['SET', PREFIX + key, pinValue(pin), 'PX', this.ttl]);
  }

  drop(key: ClientKey, model: Pin['model']): Promise<unknown> {
    return this.redis.send(['EVAL', DROP, '1', PREFIX + key, model]);
  }

  /** What is no such list counts for nothing: a later version may keep another one. */
  async avoided(key: ClientKey): Promise<readonly Avoidance[] | undefined> {
    const last = String(MAX_AVOIDANCE_BYTES - 1);
    return readAvoidanceValue(await this.redis.send(['GETRANGE', AVOIDED + key, '0', last]));
  }

  async avoid(key: ClientKey, avoidance: Avoidance): Promise<void> {
    const nowMs = this.nowMs();
    const value = avoidanceValue(withAvoidance(await this.avoided(key), avoidance, nowMs));
    const leftMs = Math.max(1, Math.ceil(avoidance.untilMs - nowMs));
    await this.redis.set(['SET', AVOIDED + key, value, 'PX', String(leftMs)]);
  }
}
