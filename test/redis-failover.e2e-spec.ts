import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chutesWith } from './support/chutes-with.js';
import { metricsOf } from './support/metrics.js';
import { closeRedisServers, describeWithRedis, RedisServer } from './support/redis-server.js';
import { eventually, type TestRouter } from './support/router.js';
import { isPinned, redisLogs, startSharing } from './support/shared-pins.js';
import { TcpForwarder } from './support/tcp-forwarder.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const [A, B] = ['m/a', 'm/b'] as const;
const CONNECTED = { level: 'info', msg: 'redis connected' };
const LOST = { level: 'warn', reason: 'READONLY', msg: 'redis lost, going on without pins' };

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith([A, B]);
});

afterEach(async () => router.close());
afterAll(async () => chutes.close());

async function failedWrites(): Promise<number> {
  return (await metricsOf(router)).value('sticky_write_errors_total');
}

async function replicate(primary: RedisServer, replica: RedisServer): Promise<void> {
  await replica.ask('REPLICAOF', '127.0.0.1', String(primary.port));
  await eventually(async () =>
    String(await replica.ask('INFO', 'replication')).includes('master_link_status:up'),
  );
}

describeWithRedis('a primary and its replica behind one address', () => {
  let first: RedisServer;
  let second: RedisServer;
  let address: TcpForwarder;

  beforeEach(async () => {
    [first, second] = await Promise.all([RedisServer.start(), RedisServer.start()]);
    await replicate(first, second);
    address = await TcpForwarder.start(first.port);
    router = await startSharing(chutes, `redis://127.0.0.1:${address.port}`);
    await eventually(async () => isPinned(chutes, router, [A, B]));
  });

  afterEach(async () => {
    await address.close();
    await Promise.all([first.close(), second.close()]);
  });

  afterAll(closeRedisServers);

  /** No connection is cut: neither by the address nor by the servers. */
  async function failOver(from: RedisServer, to: RedisServer): Promise<void> {
    await to.ask('REPLICAOF', 'NO', 'ONE');
    address.target = to.port;
    await replicate(to, from);
  }

  test('STK-35, OBS-41: pins work again within 5 s of each switch, and what failed is counted', async () => {
    expect(await failedWrites()).toBe(0);
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      const failedBefore = await failedWrites();
      await failOver(from, to);
      const switchedAtMs = performance.now();
      await eventually(async () => isPinned(chutes, router, [A, B]));
      expect(performance.now() - switchedAtMs).toBeLessThan(5_000);
      expect(await failedWrites()).toBeGreaterThan(failedBefore);
    }
    expect(redisLogs(router)).toMatchObject([CONNECTED, LOST, CONNECTED, LOST, CONNECTED]);
  });

  test('STK-35: when the address follows later than the demotion, too', async () => {
    await second.ask('REPLICAOF', 'NO', 'ONE');
    await replicate(second, first);
    for (let tries = 0; tries < 20; tries += 1) expect(await isPinned(chutes, router, [A, B])).toBe(false);
    address.target = second.port;
    const switchedAtMs = performance.now();
    await eventually(async () => isPinned(chutes, router, [A, B]));
    expect(performance.now() - switchedAtMs).toBeLessThan(5_000);
    expect(redisLogs(router)).toMatchObject([CONNECTED, LOST, CONNECTED]);
  });
});

describeWithRedis('a cluster', () => {
  afterAll(closeRedisServers);

  test('STK-37, OBS-41: costs pins, and the log says that it is not supported', async () => {
    const cluster = await RedisServer.prepare();
    await cluster.start('--cluster-enabled', 'yes', '--cluster-port', '0');
    router = await startSharing(chutes, cluster.url);
    for (let tries = 0; tries < 3; tries += 1) expect(await isPinned(chutes, router, [A, B])).toBe(false);
    expect(redisLogs(router)).toMatchObject([
      CONNECTED,
      { level: 'warn', reason: 'CLUSTERDOWN', msg: 'redis is a cluster, which is not supported' },
    ]);
    expect(await failedWrites()).toBeGreaterThan(0);
    await router.close();
    await cluster.close();
  });
});
