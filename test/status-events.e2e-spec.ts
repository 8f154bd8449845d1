import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete } from './support/ask.js';
import { NEVER } from './support/feed-watch.js';
import { codeIn } from './support/lifecycle.js';
import { buildRouter, killProcesses, startProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { type Env, environmentFor, eventually, startRouter, type TestRouter } from './support/router.js';
import { type EventFollower, eventsOf, listAt } from './support/status.js';

jest.setTimeout(120_000);

const ALIAS = 'chutesai/AutoPilot';
const ASK = { model: ALIAS, messages: [] };
const WATCH = 'GET /autopilot/events HTTP/1.1\r\nHost: x\r\n\r\n';

let chutes: ChutesSimulator;
let router: TestRouter | undefined;
const followers: EventFollower[] = [];

beforeEach(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = ['a/first', 'b/second'];
  chutes.utilization = ['a/first', 'b/second'];
});

afterEach(async () => {
  for (const follower of followers.splice(0)) follower.close();
  await router?.close();
  router = undefined;
  await killProcesses();
  await chutes.close();
});

async function start(env: Env = {}): Promise<TestRouter> {
  return (router = await startRouter(chutes, { MODELS_REFRESH_MS: NEVER, ...env }));
}

async function follow(at: Pick<TestRouter, 'insideUrl'>): Promise<EventFollower> {
  const follower = await eventsOf(at);
  followers.push(follower);
  return follower;
}

describe('events', () => {
  test('STA-8: tell of each decision as it ends, to all who watch', async () => {
    const own = await start();
    const [one, other] = await Promise.all([follow(own), follow(own)]);
    for (const id of ['a', 'b']) await complete(own, ASK, { headers: { 'x-request-id': id } });
    for (const follower of [one, other]) {
      await eventually(() => follower.named('decision').length === 2);
      expect(follower.named('decision').toReversed()).toEqual((await listAt(own, 'decisions')).data);
    }
  });

  test('STA-24: go on where the list ends that is asked for after them', async () => {
    const own = await start();
    await complete(own, ASK, { headers: { 'x-request-id': 'a' } });
    await listAt(own, 'decisions');
    // While an answer is kept that does not have it yet.
    await complete(own, ASK, { headers: { 'x-request-id': 'b' } });
    await eventually(() => own.requestLogs.length === 2);
    await follow(own);
    expect((await listAt(own, 'decisions')).data.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  test('STA-8: tell of the models when a feed changes, and only then', async () => {
    const own = await start({ UTILIZATION_REFRESH_MS: '20' });
    const follower = await follow(own);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(follower.named('models')).toEqual([]);
    chutes.utilization = [{ name: 'b/second', active_instance_count: 9, utilization_5m: 0 }];
    await eventually(() => follower.named('models').length > 0);
    const { data } = follower.named('models')[0] as { data: readonly { id: string; why: string }[] };
    expect(data.map(({ id, why }) => [id, why])).toEqual([
      ['b/second', 'ranked'],
      ['a/first', 'no_instance'],
    ]);
  });

  test('STA-8: tell of at most ten decisions a second', async () => {
    const own = await start();
    const follower = await follow(own);
    const began = performance.now();
    while (performance.now() - began < 2_500) {
      await Promise.all(Array.from({ length: 10 }, async () => complete(own, ASK)));
    }
    await complete(own, ASK);
    const tookMs = performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const told = follower.named('decision').length;
    expect(told).toBeGreaterThan(10);
    expect(told).toBeLessThanOrEqual(10 * Math.ceil(tookMs / 1_000));
  });

  test('STA-9: have room for 64, and the next one is told', async () => {
    const own = await start();
    const clients = await Promise.all(
      Array.from({ length: 64 }, async () => RawClient.open(own.port, WATCH)),
    );
    await Promise.all(clients.map(async (client) => client.receives('text/event-stream')));
    const more = await RawClient.open(own.port, WATCH);
    const answer = await more.response();
    expect([answer.status, codeIn(answer)]).toEqual([503, 'overloaded']);
    clients[0]?.close();
    await eventually(async () => {
      const next = await fetch(`${own.url}/autopilot/events`);
      void next.body?.cancel();
      return next.status === 200;
    });
    for (const client of [...clients, more]) client.close();
  });
});

describe('the end', () => {
  test.each([{}, { ADMIN_LISTEN_ADDR: '127.0.0.1:0' }])(
    'STA-10: does not wait for those who watch, and takes no new ones (%j)',
    async (env) => {
      await buildRouter();
      const own = await startProcess({
        ...environmentFor(chutes.url),
        ...env,
        SHUTDOWN_DRAIN_MS: '1500',
        SHUTDOWN_GRACE_MS: '60000',
      });
      const url = await own.url;
      const listening = own.logs.find(({ msg }) => msg === 'listening');
      const inside = (listening?.['admin_url'] as string | undefined) ?? url;
      const follower = await follow({ insideUrl: inside });
      own.kill('SIGTERM');
      // Whole, long before the grace time is over.
      expect(await follower.ended).toBe(true);
      expect((await fetch(`${inside}/autopilot/events`)).status).toBe(503);
      expect((await fetch(`${inside}/autopilot/models`)).status).toBe(200);
      const began = performance.now();
      expect(await own.ended).toEqual([0, null]);
      expect(performance.now() - began).toBeLessThan(30_000);
    },
  );
});
