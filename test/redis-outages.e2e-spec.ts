import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { metricsOf } from './support/metrics.js';
import { closeRedisServers, describeWithRedis, RedisServer } from './support/redis-server.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';
import { SteadyLoad } from './support/steady-load.js';
import { connected, isPinned, lookups, redisLogs, sharedPins, startSharing } from './support/shared-pins.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const [A, B] = ['m/a', 'm/b'] as const;
const LIST = `${A},${B}`;
const WORKERS = 4;

describeWithRedis('a Redis that comes and goes', () => {
  let redis: RedisServer;
  let chutes: ChutesSimulator;
  let router: TestRouter;

  beforeAll(async () => {
    chutes = await chutesWith([A, B]);
  });

  beforeEach(async () => {
    redis = await RedisServer.prepare();
  });

  afterEach(async () => {
    await router.close();
    await redis.close();
  });

  afterAll(async () => {
    await chutes.close();
    await closeRedisServers();
  });

  async function startBoth(env: Env): Promise<void> {
    await redis.start();
    router = await startSharing(chutes, redis.url, env);
  }

  async function pinsWork(): Promise<void> {
    await eventually(async () => isPinned(chutes, router, [A, B]), 20_000);
  }

  test('STK-30, STK-31: one that is not there yet, and then is', async () => {
    router = await startRouter(chutes, sharedPins(redis.url, { REDIS_TIMEOUT_MS: '5000' }));
    await eventually(() => redisLogs(router).length > 0);
    const answer = await complete(router, { model: LIST });
    expect(answer.status).toBe(200);
    expect(await lookups(router)).toEqual({ error: 1 });
    await redis.start();
    await pinsWork();
    expect(redisLogs(router)).toMatchObject([
      { level: 'warn', reason: 'ECONNREFUSED' },
      { level: 'info', msg: 'redis connected' },
    ]);
  });

  test('STK-29, STK-30: one that is killed under load, and comes back', async () => {
    await startBoth({ REDIS_TIMEOUT_MS: '500' });
    const load = new SteadyLoad(router, LIST, WORKERS);
    await load.more(20);
    await redis.kill();
    await load.more(100);
    await load.stop();
    expect(load.statuses).toEqual(new Set([200]));
    // The other bound is that of a slow machine.
    expect(load.slowestMs).toBeLessThan(500 + 3_000);

    await redis.start();
    await connected(router, 2);
    expect([await redis.calls('getrange'), await redis.calls('set')]).toEqual([0, 0]);
    await pinsWork();
    expect(redisLogs(router)).toMatchObject([
      { msg: 'redis connected' },
      { level: 'warn', reason: expect.stringMatching(/^(?:closed|ECONNRESET|EPIPE)$/) },
      { msg: 'redis connected' },
    ]);
  });

  test('STK-25, STK-29: one that freezes under load, and thaws', async () => {
    await startBoth({ REDIS_TIMEOUT_MS: '500' });
    const load = new SteadyLoad(router, LIST, WORKERS);
    await load.more(20);
    redis.freeze();
    const before = load.count;
    await load.more(200);
    await load.stop();
    expect(load.statuses).toEqual(new Set([200]));
    expect(load.slowestMs).toBeLessThan(500 + 3_000);
    expect((await lookups(router))['error']).toBeGreaterThanOrEqual(200 - WORKERS);

    redis.thaw();
    await pinsWork();
    const ended = (await metricsOf(router)).by('status', 'requests_total')['200'] ?? 0;
    const afterwards = ended - load.count;
    expect(load.count - before).toBeGreaterThanOrEqual(200);
    // What was sent until the first answer was overdue, of those on their way then and of the next of each worker.
    const sent = before + 2 * WORKERS + afterwards;
    // A pin, and the models that are full.
    expect(await redis.calls('getrange')).toBeLessThanOrEqual(2 * sent);
    expect(await redis.calls('set')).toBeLessThanOrEqual(sent);
  });

  test('STK-30, STK-31: one that is frozen for long: its connection is replaced', async () => {
    await startBoth({ REDIS_TIMEOUT_MS: '100' });
    redis.freeze();
    expect((await complete(router, { model: LIST })).status).toBe(200);
    await eventually(() => redisLogs(router).some(({ reason }) => reason === 'silence'));
    // It still takes connections, and leaves them without an answer.
    for (let i = 0; i < 10; i += 1) {
      expect((await complete(router, { model: LIST })).status).toBe(200);
    }
    redis.thaw();
    await connected(router, 2);
    await pinsWork();
    expect(redisLogs(router).slice(0, 4)).toMatchObject([
      { msg: 'redis connected' },
      { level: 'warn', reason: 'timeout', msg: 'redis failed a command' },
      { level: 'warn', reason: 'silence', msg: 'redis lost, going on without pins' },
      { msg: 'redis connected' },
    ]);
  });

  test('STK-33: a router that ends leaves no connection, whatever state Redis is in', async () => {
    await startBoth({});
    expect(await redis.ask('CLIENT', 'LIST')).toContain('name=chutes-autopilot');
    await router.close();
    await eventually(async () => !String(await redis.ask('CLIENT', 'LIST')).includes('chutes-autopilot'));

    router = await startSharing(chutes, redis.url);
    redis.freeze();
    await router.close();
    redis.thaw();
    await eventually(async () => !String(await redis.ask('CLIENT', 'LIST')).includes('chutes-autopilot'));
  });

  test.each(['STICKY_TTL_SECS', 'STICKY_MAX_ENTRIES'])(
    'STK-7, STK-33: with %s=0 nobody connects',
    async (name) => {
      await redis.start();
      router = await startRouter(chutes, sharedPins(redis.url, { [name]: '0' }));
      const other = await startSharing(chutes, redis.url);
      expect((await complete(router, { model: LIST })).status).toBe(200);
      expect((await complete(other, { model: LIST })).status).toBe(200);
      const clients = String(await redis.ask('CLIENT', 'LIST')).match(/name=chutes-autopilot/g);
      expect(clients).toHaveLength(1);
      expect(redisLogs(router)).toEqual([]);
      expect(await lookups(router)).toEqual({});
      await other.close();
    },
  );
});
