import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { clientKey } from '../src/sticky/client-key.js';
import { keyedHash } from '../src/sticky/keyed-hash.js';
import { arrived, Caller } from './support/caller.js';
import { chutesWith } from './support/chutes-with.js';
import { closeRedisServers, describeWithRedis, RedisServer } from './support/redis-server.js';
import { type Env, eventually, type TestRouter } from './support/router.js';
import { lookups, SECRET, startSharing } from './support/shared-pins.js';

const [A, B] = ['m/a', 'm/b'] as const;
const LIST = `${A},${B}`;
const HEADERS = { authorization: 'Bearer cpk_shared' };

describeWithRedis('routers at one Redis', () => {
  let redis: RedisServer;
  let chutes: ChutesSimulator;
  let routers: TestRouter[];

  beforeAll(async () => {
    redis = await RedisServer.start();
    chutes = await chutesWith([A, B]);
  });

  beforeEach(async () => {
    routers = [];
    await redis.ask('FLUSHALL');
  });

  afterEach(async () => {
    for (const model of [A, B]) chutes.behave(model, 'normal', { times: 0 });
    await Promise.all(routers.map((router) => router.close()));
  });

  afterAll(async () => {
    await chutes.close();
    await closeRedisServers();
  });

  async function start(env: Env = {}): Promise<TestRouter> {
    const router = await startSharing(chutes, redis.url, env);
    routers.push(router);
    return router;
  }

  function callerOf(router: TestRouter, headers = HEADERS): Caller {
    return new Caller(chutes, router, headers);
  }

  /** Waits until the one pin there is is on the second model: it is set behind the back of the request. */
  async function pinned(): Promise<void> {
    await eventually(async () => {
      const [key = ''] = await keys();
      return /^\d+ m\/b$/.test(String(await redis.ask('GET', key)));
    });
  }

  async function keys(): Promise<string[]> {
    return (await redis.ask('KEYS', '*')) as string[];
  }

  test('STK-1, STK-23: a client stays on its model whichever router it asks', async () => {
    const [one, other] = [await start(), await start()];
    await callerOf(one).pinToSecond(LIST);
    await pinned();
    expect(await callerOf(other).tries(LIST)).toEqual([B]);
    expect(await lookups(other)).toEqual({ hit: 1 });
    expect(await callerOf(one).tries(LIST)).toEqual([B]);
    expect(await callerOf(other, { authorization: 'Bearer cpk_other' }).tries(LIST)).toEqual([A]);
  });

  test('STK-8, STK-23: a pin that one router drops is dropped for all', async () => {
    const [one, other] = [await start(), await start()];
    await callerOf(one).pinToSecond(LIST);
    await pinned();
    for (const model of [A, B]) chutes.behave(model, 'unavailable', { times: 1 });
    expect(await callerOf(other).tries(LIST)).toEqual([B, A]);
    await eventually(async () => (await keys()).length === 0);
    expect(await callerOf(one).tries(LIST)).toEqual([A]);
  });

  test('CDN-8, CDN-9: a model that is full for a client is so at every router, for this client alone', async () => {
    const [one, other] = [await start(), await start()];
    chutes.behave(A, 'at-capacity', { times: 1 });
    expect((await callerOf(one).ask(LIST)).status).toBe(429);
    await eventually(async () => (await keys()).length === 1);
    const [key = ''] = await keys();
    expect(key).toMatch(/^chutes-autopilot:avoid:/);
    expect(JSON.parse(String(await redis.ask('GET', key)))).toEqual([[A, expect.any(Number)]]);
    const ttlMs = Number(await redis.ask('PTTL', key));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(30_000);
    const retry = await callerOf(other).ask(LIST);
    expect(retry.headers.get('x-chutes-autopilot-selected')).toBe(B);
    const stranger = await callerOf(other, { authorization: 'Bearer cpk_other' }).ask(LIST);
    expect(stranger.headers.get('x-chutes-autopilot-selected')).toBe(A);
    expect(await arrived(chutes, 3)).toEqual([A, B, A]);
  });

  test('CDN-9: what a later version may keep there disturbs nobody', async () => {
    const router = await start();
    chutes.behave(A, 'at-capacity', { times: 1 });
    await callerOf(router).ask(LIST);
    await eventually(async () => (await keys()).length === 1);
    const [key = ''] = await keys();
    await redis.ask('SET', key, '{"another":"format"}');
    const answer = await callerOf(router).ask(LIST);
    expect(answer.headers.get('x-chutes-autopilot-selected')).toBe(A);
    expect(await arrived(chutes, 2)).toEqual([A, A]);
    expect(await lookups(router)).toEqual({ miss: 2 });
  });

  test('STK-20, STK-23: a second choice fails back at one moment for all', async () => {
    const [one, other] = [await start(), await start()];
    await callerOf(one).pinToSecond(LIST);
    await pinned();
    const [key = ''] = await keys();
    const made = String(await redis.ask('GET', key));
    expect(Number(made.split(' ')[0]) - Date.now()).toBeGreaterThan(0);
    // Renewing it, which the expiry shows, does not move the moment.
    await redis.ask('PEXPIRE', key, '60000');
    expect(await callerOf(other).tries(LIST)).toEqual([B]);
    await eventually(async () => Number(await redis.ask('PTTL', key)) > 60_000);
    expect(await redis.ask('GET', key)).toBe(made);
    await redis.ask('SET', key, `${Date.now() - 1} ${B}`);
    expect(await callerOf(other).tries(LIST)).toEqual([A]);
    expect(await lookups(other)).toEqual({ hit: 1, ineligible: 1 });
  });

  test('STK-27: routers with different secrets share nothing', async () => {
    const [one, other] = [await start(), await start({ STICKY_HASH_SECRET: 'another secret' })];
    await callerOf(one).pinToSecond(LIST);
    await pinned();
    expect(await callerOf(other).tries(LIST)).toEqual([A]);
    expect(await lookups(other)).toEqual({ miss: 1 });
    await eventually(async () => (await keys()).length === 2);
  });

  test('STK-15, STK-24: Redis holds a hash, a model and an expiry', async () => {
    const router = await start({ STICKY_TTL_SECS: '100' });
    await callerOf(router).pinToSecond(LIST);
    await pinned();
    const identity = { authorization: HEADERS.authorization, address: () => '', session: undefined };
    const key = `chutes-autopilot:pin:${clientKey(keyedHash(SECRET), identity, LIST)}`;
    expect(await keys()).toEqual([key]);
    const ttlMs = Number(await redis.ask('PTTL', key));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(100_000);
  });

  test('STK-24: STICKY_MAX_ENTRIES does not count in Redis', async () => {
    const router = await start({ STICKY_MAX_ENTRIES: '1' });
    const callers = ['1', '2', '3'].map((n) => callerOf(router, { authorization: `Bearer cpk_${n}` }));
    for (const caller of callers) await caller.pinToSecond(LIST);
    await eventually(async () => (await keys()).length === 3);
    for (const caller of callers) expect(await caller.tries(LIST)).toEqual([B]);
  });

  test.each([
    ['STK-1', 'a model that is no candidate', '0 m/z', { ineligible: 1, hit: 1 }],
    ['STK-25', 'garbage', 'm/b', { error: 1, hit: 1 }],
  ])(
    '%s, STK-26: %s at the key counts for nothing, and is overwritten',
    async (_clause, _, value, outcomes) => {
      const router = await start();
      await callerOf(router).pinToSecond(LIST);
      await pinned();
      const [key = ''] = await keys();
      await redis.ask('SET', key, value);
      const before = await lookups(router);
      expect(before).toEqual({ miss: 1 });
      chutes.behave(A, 'unavailable', { times: 1 });
      expect(await callerOf(router).tries(LIST)).toEqual([A, B]);
      await pinned();
      expect(await callerOf(router).tries(LIST)).toEqual([B]);
      expect(await lookups(router)).toEqual({ ...before, ...outcomes });
    },
  );
});
