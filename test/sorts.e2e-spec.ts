import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { NamedFeedBehaviour } from '../src/simulator/faults/feed-misbehaviour.js';
import { modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { statisticsRow } from '../src/simulator/feeds/simulated-statistics.js';
import { ask, complete, selectedOf } from './support/ask.js';
import { linesAbout, NEVER, refreshed } from './support/feed-watch.js';
import { metricsOf } from './support/metrics.js';
import { disproportions } from './support/proportion.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

interface Model {
  readonly id: string;
  /** Of which so many are free. */
  readonly instances: number;
  readonly free: number;
  /** USD per million tokens, read and written alike. */
  readonly price?: number;
  readonly ttftS?: number;
  readonly tps?: number;
}

const FLEET: readonly Model[] = [
  { id: 'm/roomy', instances: 9, free: 9, price: 4, ttftS: 3, tps: 20 },
  { id: 'm/quick', instances: 4, free: 4, price: 8, ttftS: 0.4, tps: 60 },
  { id: 'm/strong', instances: 3, free: 3, price: 2, ttftS: 1.2, tps: 150 },
  { id: 'm/cheap', instances: 2, free: 2, price: 0.1, ttftS: 5, tps: 30 },
  { id: 'm/vague', instances: 1, free: 1 },
  { id: 'm/full', instances: 6, free: 0, price: 0.01, ttftS: 0.1, tps: 500 },
];
const BY_ROOM = 'roomy quick strong cheap vague full';
const BY_LATENCY = 'quick strong roomy cheap vague full';
const ALIASES = {
  auto: {},
  brisk: { sort: 'price', max_ttft_s: 2 },
  streaming: { min_tps: 50 },
  wide: { spread: true, models: ['*', '!m/vague'] },
};

let chutes: ChutesSimulator;
let router: TestRouter | undefined;
let sessions = 0;

beforeAll(async () => {
  chutes = await ChutesSimulator.start();
});

beforeEach(() => {
  chutes.reset();
  chutes.models = FLEET.map(({ id, price }) =>
    modelEntry(id, { pricing: price === undefined ? undefined : { prompt: price, completion: price } }),
  );
  chutes.utilization = FLEET.map(({ id, instances, free }) => ({
    name: id,
    active_instance_count: instances,
    utilization_5m: 1 - free / instances,
  }));
  chutes.stats = FLEET.filter(({ tps }) => tps).map(({ id, ttftS = 0, tps = 0 }) =>
    statisticsRow(id, { average_ttft: ttftS, average_tps: tps }),
  );
});

afterEach(async () => {
  await router?.close();
  router = undefined;
});

afterAll(async () => {
  await chutes.close();
});

async function start(env: Env = {}): Promise<TestRouter> {
  router = await startRouter(chutes, {
    AUTOPILOT_ALIASES: JSON.stringify(ALIASES),
    UTILIZATION_REFRESH_MS: NEVER,
    STATS_URL: `${chutes.url}/invocations/stats/llm`,
    ...env,
  });
  return router;
}

/** A router that knows how fast the models are. */
async function startInformed(env: Env = {}): Promise<TestRouter> {
  const own = await start(env);
  await eventually(async () => (await ages(own))['stats'] !== null);
  return own;
}

/** The models that a request tries, in order, when none of them answers. */
async function triedBy(own: TestRouter, model: string): Promise<string> {
  const before = chutes.generations.length;
  chutes.behave('*', 'unavailable');
  await complete(own, { model, messages: [] });
  chutes.behave('*', 'normal');
  const tried = chutes.generations.slice(before).map(({ model: its }) => its?.replace('m/', ''));
  return tried.join(' ');
}

async function decisionOf(own: TestRouter, model: string): Promise<Record<string, unknown>> {
  const headers = { 'x-chutes-autopilot-dry-run': 'true', 'x-session-id': `${(sessions += 1)}` };
  const { text } = await complete(own, { model, messages: [] }, { headers });
  return JSON.parse(text) as Record<string, unknown>;
}

async function ages(own: TestRouter): Promise<Record<string, number | null>> {
  return (await decisionOf(own, 'auto'))['feeds'] as Record<string, number | null>;
}

/** Who answers 300 conversations of one token. */
async function conversationsOf(own: TestRouter): Promise<readonly (string | null)[]> {
  const models: (string | null)[] = [];
  for (let n = 0; n < 300; n += 1) {
    const messages = [{ role: 'user', content: `Conversation ${n}` }];
    const headers = { authorization: 'Bearer cpk_shared' };
    models.push(selectedOf(await complete(own, { model: 'wide', messages }, { headers })));
  }
  return models;
}

/** The model that answers a client first. */
async function firstOf(own: TestRouter, client: string, model = 'wide'): Promise<string> {
  const headers = { authorization: `Bearer ${client}` };
  return selectedOf(await complete(own, { model, messages: [] }, { headers })) ?? '';
}

describe('an alias goes by its sort and its wishes', () => {
  test.each([
    ['auto', BY_ROOM],
    ['auto:latency', BY_LATENCY],
    ['auto:throughput', 'strong quick cheap roomy vague full'],
    ['auto:price', 'cheap strong roomy quick vague full'],
    // Those known to be fast enough, then the one of which it is not known, then the others; each by price.
    ['brisk', 'strong quick full vague cheap roomy'],
    // … and by room.
    ['streaming', 'quick strong full vague roomy cheap'],
  ])('POL-5, POL-6: %s tries %s', async (model, expected) => {
    expect(await triedBy(await startInformed(), model)).toBe(expected);
  });

  test('POL-5, SEL-34: and a decision tells the figures', async () => {
    const own = await startInformed();
    const { sort, variants, candidates } = await decisionOf(own, 'auto:latency');
    expect([sort, variants]).toEqual(['latency', ['latency']]);
    expect((candidates as object[]).slice(0, 1)).toEqual([
      { model: 'm/quick', why: 'ranked', score: 4, ttft_s: 0.4, tps: 60, price: 8 },
    ]);
    expect((candidates as object[])[4]).toEqual({ model: 'm/vague', why: 'ranked', score: 1 });
    const listed = await decisionOf(own, 'm/strong:latency,m/vague');
    expect(listed['candidates']).toEqual([
      { model: 'm/strong:latency', why: 'listed', score: 3, ttft_s: 1.2, tps: 150, price: 2 },
      { model: 'm/vague', why: 'listed', score: 1 },
    ]);
  });
});

describe('the statistics', () => {
  test('CAT-26: are asked for since two days ago', async () => {
    await startInformed();
    const { path } = await chutes.nextRequest('/invocations/stats/llm');
    expect(path).toMatch(/^\/invocations\/stats\/llm\?start_date=\d{4}-\d\d-\d\d$/);
    const since = Date.parse(path.slice(-10));
    expect(Date.now() - since).toBeGreaterThanOrEqual(2 * 86_400_000);
    expect(Date.now() - since).toBeLessThan(3 * 86_400_000 + 60_000);
  });

  test('CFG-61: with STATS_URL=off nothing is known, and nothing asked', async () => {
    const own = await start({ STATS_URL: 'off' });
    expect(await triedBy(own, 'auto:latency')).toBe(BY_ROOM);
    expect((await ages(own))['stats']).toBeNull();
    expect(chutes.count('/invocations/stats/llm')).toBe(0);
  });

  test.each<[NamedFeedBehaviour, 'ok' | 'empty' | 'error']>([
    ['html', 'error'],
    ['error', 'error'],
    ['reset', 'error'],
    ['cut', 'error'],
    ['truncated', 'error'],
    ['silent', 'error'],
    ['stall', 'error'],
    ['huge', 'error'],
    ['no-body', 'error'],
    ['redirect', 'error'],
    ['wrong-root', 'error'],
    ['empty', 'empty'],
    ['odd-rows', 'ok'],
  ])('CAT-28: that bring %s change no answer: the last good figures serve on', async (behaviour, outcome) => {
    const env = { STATS_REFRESH_MS: '20', CONTROL_PLANE_TIMEOUT_MS: '1000' };
    const own = await startInformed(env);
    chutes.feed('stats', behaviour);
    await refreshed(own, 'stats', [outcome]);
    expect(await triedBy(own, 'auto:latency')).toBe(BY_LATENCY);
    expect(await triedBy(own, 'auto')).toBe(BY_ROOM);
    expect((await ask(own, '/readyz')).status).toBe(200);
  });

  test('CAT-27: that never come keep no router from being ready, nor from answering', async () => {
    chutes.feed('stats', 'silent');
    const own = await start();
    expect((await ages(own))['stats']).toBeNull();
    for (const model of ['auto:latency', 'auto:throughput', 'streaming']) {
      expect(await triedBy(own, model)).toBe(BY_ROOM);
    }
    expect(await triedBy(own, 'brisk')).toBe('cheap strong roomy quick vague full');
    expect(selectedOf(await complete(own, { model: 'auto:latency', messages: [] }))).toBe('m/roomy');
  });

  test('CAT-29: that come late, and that change, change the order from then on', async () => {
    chutes.feed('stats', 'error');
    const own = await start({ STATS_REFRESH_MS: '20' });
    expect(await triedBy(own, 'auto:latency')).toBe(BY_ROOM);
    chutes.feed('stats', 'normal');
    await refreshed(own, 'stats', ['ok']);
    expect(await triedBy(own, 'auto:latency')).toBe(BY_LATENCY);
    chutes.stats = [statisticsRow('m/cheap', { average_ttft: 0.2 })];
    await eventually(
      async () => (await triedBy(own, 'auto:latency')) === 'cheap roomy quick strong vague full',
    );
    expect(linesAbout(own, 'stats').map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  test('OBS-9, OBS-10: are counted as feeds are', async () => {
    chutes.stats = [{}, 7, statisticsRow('m/quick'), { ...statisticsRow('m/quick'), average_tps: 'many' }];
    const own = await startInformed();
    const metrics = await metricsOf(own);
    expect(metrics.value('feed_refresh_total', { feed: 'stats', outcome: 'ok' })).toBe(1);
    expect(metrics.value('feed_rows_skipped_total', { feed: 'stats' })).toBe(3);
  });
});

describe('clients that are spread', () => {
  const CLIENTS = Array.from({ length: 400 }, (_, n) => `cpk_${n}`);
  const WEIGHTS = { 'm/roomy': 9, 'm/quick': 4, 'm/strong': 3, 'm/cheap': 2 };

  test('POL-10: go to models in proportion to their free capacity', async () => {
    const own = await start();
    const models: string[] = [];
    for (const client of CLIENTS) models.push(await firstOf(own, client));
    expect(disproportions(models, WEIGHTS)).toEqual([]);
  });

  test('POL-12: go to the same ones from every replica, which share nothing; with stickiness off, too', async () => {
    const own = await start({ STICKY_TTL_SECS: '0' });
    const other = await startRouter(chutes, { AUTOPILOT_ALIASES: JSON.stringify(ALIASES) });
    try {
      const models = new Set<string>();
      for (const client of CLIENTS.slice(0, 40)) {
        const model = await firstOf(own, client);
        models.add(model);
        expect(await firstOf(other, client)).toBe(model);
        expect(await firstOf(own, client, 'auto:spread:capacity')).toMatch(/^m\//);
      }
      expect(models.size).toBeGreaterThan(1);
    } finally {
      await other.close();
    }
  });

  test('POL-16: sessions of one token each have an order of their own', async () => {
    const own = await start({ STICKY_TTL_SECS: '0' });
    const models = new Set<string | null>();
    for (let session = 0; session < 40; session += 1) {
      const headers = { authorization: 'Bearer cpk_shared', 'x-session-id': `${session}` };
      const answers = [1, 2].map(() => complete(own, { model: 'wide', messages: [] }, { headers }));
      const [first, second] = (await Promise.all(answers)).map(selectedOf);
      expect(second).toBe(first);
      models.add(first ?? null);
    }
    expect(models.size).toBeGreaterThan(2);
  });

  test('POL-16: conversations of one token are spread where each has a pin of its own, and else stay together', async () => {
    const told = await conversationsOf(await start({ STICKY_SCOPE: 'conversation' }));
    expect(disproportions(told, WEIGHTS)).toEqual([]);
    await router?.close();
    expect(new Set(await conversationsOf(await start())).size).toBe(1);
  });

  test('POL-10: a full model and one that fails come as they would: the next of the client’s own order answers', async () => {
    const own = await start();
    const { candidates } = await decisionOf(own, 'wide');
    const order = (candidates as { model: string }[]).map(({ model }) => model);
    expect(order.at(-1)).toBe('m/full');
    chutes.behave(order[0] ?? '', 'unavailable');
    const headers = { 'x-session-id': String(sessions) };
    expect(selectedOf(await complete(own, { model: 'wide', messages: [] }, { headers }))).toBe(order[1]);
  });
});
