import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Exchange } from '../src/simulator/exchange.js';
import { ask, complete } from './support/ask.js';
import type { WatchedFeed } from './support/feed-watch.js';
import { MovingAddress } from './support/moving-address.js';
import { RawClient } from './support/raw-client.js';
import { chatRequest } from './support/chat-request.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const MAX_AGE_MS = 500;
const AGED = { UPSTREAM_CONNECTION_MAX_AGE_MS: String(MAX_AGE_MS), STICKY_TTL_SECS: '0' };
const QUESTION = { model: 'a/one', messages: [] };
const CHAT_PATH = '/v1/chat/completions';

let feeds: ChutesSimulator;
let before: ChutesSimulator;
let after: ChutesSimulator;
let address: MovingAddress;
let router: TestRouter | undefined;

beforeEach(async () => {
  [feeds, before, after] = await Promise.all([
    ChutesSimulator.start(),
    ChutesSimulator.start(),
    ChutesSimulator.start(),
  ]);
  for (const chutes of [feeds, before, after]) {
    chutes.models = ['a/one'];
    chutes.utilization = ['a/one'];
  }
  address = await MovingAddress.start(portOf(before));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await router?.close();
  router = undefined;
  await address.close();
  await Promise.all([feeds, before, after].map((chutes) => chutes.close()));
});

function portOf({ url }: ChutesSimulator): number {
  return Number(new URL(url).port);
}

async function start(env: Env): Promise<TestRouter> {
  router = await startRouter(feeds, env);
  return router;
}

/** A client with half an answer, besides an idle connection to the same upstream. */
async function withHalfAnAnswer(own: TestRouter, rest: Promise<void>): Promise<RawClient> {
  before.behave('*', { kind: 'scripted', script: async (exchange) => stream(exchange, rest) });
  const client = await RawClient.open(own.port, chatRequest({ ...QUESTION, stream: true }));
  await client.receives('data: 1');
  before.behave('*', 'normal');
  await complete(own, QUESTION);
  return client;
}

/** Calls every 20 ms until the moved address is answered by its new target; the statuses of all calls. */
async function callUntilMoved(own: TestRouter): Promise<Set<number>> {
  const calls: Promise<{ status: number }>[] = [];
  await eventually(async () => {
    calls.push(complete(own, QUESTION));
    await sleep(20);
    return after.count(CHAT_PATH) > 2;
  });
  return new Set((await Promise.all(calls)).map(({ status }) => status));
}

describe('an upstream that moved', () => {
  it('ATT-43: is followed under steady traffic, and no request is lost', async () => {
    const own = await start({ ...AGED, BACKEND_BASE_URL: address.url });
    for (let n = 0; n < 5; n++) await complete(own, QUESTION);
    expect(address.connections).toBe(1);
    address.target = portOf(after);
    expect(await callUntilMoved(own)).toEqual(new Set([200]));
    const seen = before.count(CHAT_PATH);
    for (let n = 0; n < 5; n++) expect((await complete(own, QUESTION)).status).toBe(200);
    expect(before.count(CHAT_PATH)).toBe(seen);
  });

  it('ATT-43: is followed however the clock on the wall is set', async () => {
    const own = await start({ ...AGED, BACKEND_BASE_URL: address.url });
    await complete(own, QUESTION);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now - 3_600_000);
    address.target = portOf(after);
    expect(await callUntilMoved(own)).toEqual(new Set([200]));
  });

  it('ATT-43: is followed though all its connections were busy, and some wait for one', async () => {
    const own = await start({
      ...AGED,
      BACKEND_BASE_URL: address.url,
      UPSTREAM_MAX_CONNECTIONS: '2',
      UPSTREAM_CONNECT_TIMEOUT_MS: '20000',
    });
    before.behave('*', { kind: 'slow-headers', ms: 100 });
    const first = await Promise.all(Array.from({ length: 6 }, async () => complete(own, QUESTION)));
    address.target = portOf(after);
    const calls = await Promise.all(Array.from({ length: 30 }, async () => complete(own, QUESTION)));
    expect(new Set([...first, ...calls].map(({ status }) => status))).toEqual(new Set([200]));
    expect(before.count(CHAT_PATH)).toBeGreaterThan(6);
    expect(after.count(CHAT_PATH)).toBeGreaterThan(0);
  });

  it('ATT-43: ends a long answer no sooner than its upstream does', async () => {
    const own = await start({ ...AGED, BACKEND_BASE_URL: address.url });
    const release = Promise.withResolvers<void>();
    const client = await withHalfAnAnswer(own, release.promise);
    address.target = portOf(after);
    expect(await callUntilMoved(own)).toEqual(new Set([200]));
    release.resolve();
    const { isComplete, body } = await client.response();
    expect([isComplete, body.toString()]).toEqual([true, 'data: 1\n\ndata: 2\n\ndata: [DONE]\n\n']);
  });

  it('ATT-28, ATT-43: is told when the client of a long answer leaves', async () => {
    const own = await start({ ...AGED, BACKEND_BASE_URL: address.url });
    const client = await withHalfAnAnswer(own, new Promise(() => {}));
    address.target = portOf(after);
    await callUntilMoved(own);
    client.close();
    expect(await before.requests.find(({ pathname }) => pathname === CHAT_PATH)?.ended).toBe('client-gone');
  });

  it('HLT-17, ATT-43: does not outlive the router by a long answer', async () => {
    const own = await start({ ...AGED, BACKEND_BASE_URL: address.url, SHUTDOWN_GRACE_MS: '0' });
    await withHalfAnAnswer(own, new Promise(() => {}));
    address.target = portOf(after);
    await callUntilMoved(own);
    await own.close();
    expect(await before.requests.find(({ pathname }) => pathname === CHAT_PATH)?.ended).toBe('client-gone');
  });

  it('ATT-43: is followed for evidence, too', async () => {
    const own = await start({ ...AGED, EVIDENCE_BASE_URL: address.url });
    const evidence = `/chutes/11111111-2222-4333-8444-555555555555/evidence?nonce=${'0'.repeat(64)}`;
    await ask(own, evidence);
    address.target = portOf(after);
    await eventually(async () => {
      await ask(own, evidence);
      return after.requests.some(({ pathname }) => pathname.endsWith('/evidence'));
    });
    expect(before.requests.some(({ pathname }) => pathname.endsWith('/evidence'))).toBe(true);
  });
});

describe.each<WatchedFeed>(['models', 'utilization'])('a control plane that moved: %s', (feed) => {
  const path = { models: '/v1/models', utilization: '/chutes/utilization' }[feed];
  const [url, interval] = {
    models: ['MODELS_URL', 'MODELS_REFRESH_MS'],
    utilization: ['UTILIZATION_URL', 'UTILIZATION_REFRESH_MS'],
  }[feed] as [string, string];

  it('CAT-21: is followed though it is asked all the time and keeps its connections for long', async () => {
    before.feed(feed, { kind: 'scripted', script: async (exchange) => keepingAlive(exchange, feed) });
    await start({ ...AGED, [url]: `${address.url}${path}`, [interval]: '20' });
    await eventually(() => before.count(path) > 3);
    const connections = address.connections;
    address.target = portOf(after);
    await eventually(() => after.count(path) > 2);
    expect(connections).toBeLessThan(before.count(path));
  });

  it('CAT-21: is followed at once when the old one fails', async () => {
    const own = await start({ [url]: `${address.url}${path}`, [interval]: '50' });
    await eventually(() => before.count(path) > 3);
    before.feed(feed, 'error');
    address.target = portOf(after);
    await eventually(() => after.count(path) > 2);
    expect(own.logs.filter((line) => line['feed'] === feed).map(({ level }) => level)).toEqual([
      'info',
      'warn',
      'info',
    ]);
  });
});

/** Half an answer, and the rest when it is wanted. */
async function stream(exchange: Exchange, wanted: Promise<void>): Promise<void> {
  await exchange.head(200, { 'content-type': 'text/event-stream' });
  await exchange.write('data: 1\n\n');
  await wanted;
  await exchange.write('data: 2\n\ndata: [DONE]\n\n');
}

async function keepingAlive(exchange: Exchange, feed: WatchedFeed): Promise<void> {
  const row = { id: 'a/one', name: 'a/one', active_instance_count: 3 };
  await exchange.head(200, { 'content-type': 'application/json', 'keep-alive': 'timeout=600' });
  await exchange.write(JSON.stringify(feed === 'models' ? { data: [row] } : [row]));
}
