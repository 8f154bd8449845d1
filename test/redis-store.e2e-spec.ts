import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { ModelId } from '../src/catalog/model-list.js';
import type { ClientKey } from '../src/sticky/client-key.js';
import { MAX_PIN_BYTES } from '../src/sticky/pin-value.js';
import { RedisStore } from '../src/sticky/redis.store.js';
import { closeRedisServers, describeWithRedis, RedisServer } from './support/redis-server.js';
import { eventually } from './support/router.js';

const KEY = 'bm90IHJlYWxseSBhIGhhc2g=' as ClientKey;
const REDIS_KEY = `chutes-autopilot:pin:${KEY}`;
const A = { model: 'm/a' as ModelId };
const B = { model: 'm/b' as ModelId, failbackAtMs: 1_786_000_000_000 };
const ONE_HOUR = 3_600_000;

describeWithRedis('pins in a Redis server', () => {
  let redis: RedisServer;
  let store: RedisStore;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  afterAll(closeRedisServers);

  beforeEach(async () => {
    await redis.ask('FLUSHALL');
    store = await connected();
  });

  afterEach(() => {
    store.onApplicationShutdown();
  });

  async function connected(ttlMs = ONE_HOUR): Promise<RedisStore> {
    const it = new RedisStore({ url: redis.url, timeoutMs: 5_000, ttlMs }, pino({ level: 'silent' }));
    it.onApplicationBootstrap();
    await eventually(() =>
      it.get('connected?' as ClientKey).then(
        () => true,
        () => false,
      ),
    );
    return it;
  }

  /** Waits until Redis has done what a store has asked of it: it answers the commands of a connection in their order. */
  async function carriedOut(by = store): Promise<void> {
    await by.get('any other key' as ClientKey);
  }

  test('STK-23, STK-26: a pin that one store sets is the pin of another', async () => {
    const other = await connected();
    expect(await other.get(KEY)).toBeUndefined();
    for (const pin of [A, B]) {
      await store.set(KEY, pin);
      await carriedOut();
      expect(await other.get(KEY)).toEqual(pin);
    }
    expect(await redis.ask('KEYS', '*')).toEqual([REDIS_KEY]);
    expect(await redis.ask('GET', REDIS_KEY)).toBe('1786000000000 m/b');
    other.onApplicationShutdown();
  });

  test('STK-5, STK-24: a pin expires in Redis, and setting it again renews it', async () => {
    await store.set(KEY, A);
    await carriedOut();
    const ttlMs = Number(await redis.ask('PTTL', REDIS_KEY));
    expect(ttlMs).toBeLessThanOrEqual(ONE_HOUR);
    expect(ttlMs).toBeGreaterThan(ONE_HOUR - 60_000);
    await redis.ask('PEXPIRE', REDIS_KEY, '60000');
    await store.get(KEY);
    expect(Number(await redis.ask('PTTL', REDIS_KEY))).toBeLessThanOrEqual(60_000);
    await store.set(KEY, A);
    await carriedOut();
    expect(Number(await redis.ask('PTTL', REDIS_KEY))).toBeGreaterThan(60_000);
  });

  test('STK-24: when its time is over, a pin is gone from Redis', async () => {
    const brief = await connected(50);
    await brief.set(KEY, A);
    await carriedOut(brief);
    await eventually(async () => (await redis.ask('EXISTS', REDIS_KEY)) === 0);
    expect(await brief.get(KEY)).toBeUndefined();
    brief.onApplicationShutdown();
  });

  test.each([
    ['a pin on another model', '0 m/b', '0 m/b'],
    ['a pin on a model whose name goes on', '0 m/a-2', '0 m/a-2'],
    ['a pin on the model', '0 m/a', null],
    ['a pin on the model that fails back', '1786000000000 m/a', null],
    ['something else', 'm/a', 'm/a'],
    ['nothing', undefined, null],
  ])('STK-8, STK-28: of dropping finds %s', async (_, before, after) => {
    if (before !== undefined) await redis.ask('SET', REDIS_KEY, before);
    await store.drop(KEY, A.model);
    await carriedOut();
    expect(await redis.ask('GET', REDIS_KEY)).toBe(after);
  });

  test.each([
    ['text that is no pin', ['SET', REDIS_KEY, 'garbage']],
    ['JSON', ['SET', REDIS_KEY, '{"model":"m/a"}']],
    ['a pin that is too long', ['SET', REDIS_KEY, `0 ${'x'.repeat(MAX_PIN_BYTES)}`]],
    ['a list', ['RPUSH', REDIS_KEY, '0 m/a']],
    ['a hash', ['HSET', REDIS_KEY, 'model', 'm/a']],
  ])('STK-25, STK-26: %s fails a lookup, and is overwritten', async (_, command) => {
    await redis.ask(...command);
    await expect(store.get(KEY)).rejects.toThrow(/something else|WRONGTYPE/);
    // Of another type than a pin's it fails, and of another text it finds nothing to drop.
    await store.drop(KEY, A.model).catch(() => {});
    expect(await redis.ask('EXISTS', REDIS_KEY)).toBe(1);
    await store.set(KEY, A);
    expect(await store.get(KEY)).toEqual(A);
  });

  test('STK-26: of a value of any size no more is sent than a pin can have', async () => {
    await redis.ask('SETRANGE', REDIS_KEY, '50000000', 'x');
    const before = await sentBytes();
    await expect(store.get(KEY)).rejects.toThrow('something else');
    expect((await sentBytes()) - before).toBeLessThan(100_000);
  });

  async function sentBytes(): Promise<number> {
    const stats = String(await redis.ask('INFO', 'stats'));
    return Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1]);
  }
});
