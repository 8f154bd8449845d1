import { SchedulerRegistry } from '@nestjs/schedule';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig } from '../config/config.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { CatalogRefresher } from './catalog.refresher.js';
import { CatalogService, type FeedName } from './catalog.service.js';
import { ageMs } from './snapshot.js';
import { type CatalogClient, FetchError } from './catalog.client.js';

const MODELS = '{"data":[{"id":"a/one"}]}';
const ROWS = '[{"name":"a/one","active_instance_count":1}]';
const STATS = '[{"name":"a/one","date":"2026-02-18","average_ttft":1.5}]';
const BODIES = { models: MODELS, utilization: ROWS, stats: STATS };
const FEED_OF: Readonly<Record<string, FeedName>> = {
  '/v1/models': 'models',
  '/chutes/utilization': 'utilization',
  '/invocations/stats/llm': 'stats',
};

/** Answers as it is told to, and remembers when it was asked. */
class ClockedClient implements Pick<CatalogClient, 'get'> {
  readonly askedAtMs: Readonly<Record<FeedName, number[]>> = { models: [], utilization: [], stats: [] };
  private readonly running = { models: 0, utilization: 0, stats: 0 };
  /** What was asked for, in full. */
  readonly asked: string[] = [];
  /** The largest number of fetches of one feed that went on at a time. */
  mostAtATime = 0;
  answer = (body: Buffer, _feed: FeedName): Promise<Buffer> => Promise.resolve(body);

  async get({ href, pathname }: URL): Promise<Buffer> {
    const feed = FEED_OF[pathname] as FeedName;
    this.asked.push(href);
    this.askedAtMs[feed].push(performance.now());
    this.running[feed] += 1;
    this.mostAtATime = Math.max(this.mostAtATime, this.running[feed]);
    try {
      return await this.answer(Buffer.from(BODIES[feed]), feed);
    } finally {
      this.running[feed] -= 1;
    }
  }
}

async function succeed(body: Buffer): Promise<Buffer> {
  return body;
}

describe('the schedule of the feeds', () => {
  let client: ClockedClient;
  let catalog: CatalogService;
  let refresher: CatalogRefresher;

  beforeEach(() => {
    jest.useFakeTimers();
    // No jitter.
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    client = new ClockedClient();
    catalog = new CatalogService();
    refresher = refresherWith({});
  });

  function refresherWith(env: Readonly<Record<string, string>>): CatalogRefresher {
    return new CatalogRefresher(
      loadConfig(env),
      pino({ level: 'silent' }),
      client as unknown as CatalogClient,
      catalog,
      new MetricsService(),
      new SchedulerRegistry(),
    );
  }

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  /** When a feed was asked for, in seconds since the first time. Reading it takes some turns, which last a millisecond each here. */
  function askedAtS(feed: FeedName): number[] {
    const asked = client.askedAtMs[feed];
    return asked.map((ms) => Math.round((ms - (asked[0] ?? 0)) / 1_000));
  }

  it('CAT-1, CAT-2: both at once, then the models every 300 s and the utilization every 5 s', async () => {
    refresher.onApplicationBootstrap();
    const startedAtMs = performance.now();
    await jest.advanceTimersByTimeAsync(600_000);
    const { models, utilization } = client.askedAtMs;
    expect(models.map((ms) => ms - startedAtMs)).toEqual([0, 300_000, 600_000]);
    expect(utilization.map((ms) => ms - startedAtMs)).toEqual(
      Array.from({ length: 121 }, (_, n) => n * 5_000),
    );
  });

  it('CAT-4: a fetch that takes longer than the interval makes the next ones wait for it', async () => {
    refresher.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(0);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    client.answer = () => promise;
    await jest.advanceTimersByTimeAsync(14_999);
    expect(client.askedAtMs.utilization).toHaveLength(2);
    resolve(Buffer.from(ROWS));
    await jest.advanceTimersByTimeAsync(1);
    expect(client.askedAtMs.utilization).toHaveLength(3);
  });

  it('CAT-15: the same bytes again make a feed younger, and bring no new value', async () => {
    refresher.onApplicationBootstrap();
    const startedAtMs = performance.now();
    await jest.advanceTimersByTimeAsync(10);
    const first = catalog.utilization.last;
    await jest.advanceTimersByTimeAsync(5_000);
    const second = catalog.utilization.last;
    expect(second?.value).toBe(first?.value);
    expect(first).toBeDefined();
    expect(second?.fetchedAtMs).toBe(startedAtMs + 5_000);
  });

  describe('the statistics', () => {
    it('CAT-26: are fetched at the start, and then every 600 s, since two days ago', async () => {
      jest.setSystemTime(Date.UTC(2026, 1, 18, 23, 55));
      refresher.onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(1_200_000);
      expect(askedAtS('stats')).toEqual([0, 600, 1_200]);
      expect(client.asked.filter((href) => href.includes('stats'))).toEqual([
        'https://api.chutes.ai/invocations/stats/llm?start_date=2026-02-16',
        'https://api.chutes.ai/invocations/stats/llm?start_date=2026-02-17',
        'https://api.chutes.ai/invocations/stats/llm?start_date=2026-02-17',
      ]);
      expect(catalog.stats.last?.value.figuresOf('a/one', undefined).ttftS).toBe(1.5);
    });

    it('CAT-27: that never came are tried at longer and longer intervals, since nobody waits for them', async () => {
      client.answer = (body, feed) =>
        feed === 'stats' ? Promise.resolve(Buffer.from('[]')) : Promise.resolve(body);
      refresher.onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(1_700_000);
      expect(askedAtS('stats')).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1_023, 1_623]);
      expect(catalog.stats).toMatchObject({ outcome: 'empty', last: undefined });
    });

    it('CFG-61: are not asked for with STATS_URL=off', async () => {
      refresherWith({ STATS_URL: 'off' }).onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(700_000);
      expect(client.askedAtMs.stats).toEqual([]);
      expect(client.askedAtMs.models).toHaveLength(3);
    });

    it('CAT-28: rows that cannot be used are skipped, and the last good figures stay where none can', async () => {
      refresher.onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(10);
      const good = catalog.stats.last;
      expect(good).toBeDefined();
      for (const bad of ['{"data":[{"name":"a/one","date":"2026-02-18"}]}', '"none"', '[{}, 7]', '[', '']) {
        client.answer = (body, feed) => Promise.resolve(feed === 'stats' ? Buffer.from(bad) : body);
        await jest.advanceTimersByTimeAsync(600_000);
        expect(catalog.stats.outcome).not.toBe('ok');
        expect(catalog.stats.last).toBe(good);
      }
      const row = '{"name":"a/one","date":"2026-02-19","average_ttft":2.5}';
      client.answer = (body, feed) =>
        Promise.resolve(feed === 'stats' ? Buffer.from(`[7,${row},{"name":"a/one"}]`) : body);
      await jest.advanceTimersByTimeAsync(600_000);
      expect(catalog.stats.last?.value.figuresOf('a/one', undefined).ttftS).toBe(2.5);
    });
  });

  describe.each<[outcome: string, answer: (feed: FeedName) => Promise<Buffer>]>([
    ['an error', () => Promise.reject(new FetchError('status 429'))],
    ['not JSON', () => Promise.resolve(Buffer.from('<!doctype html>'))],
    ['another root', () => Promise.resolve(Buffer.from('"maintenance"'))],
    ['empty', (feed) => Promise.resolve(Buffer.from(feed === 'models' ? '{"data":[]}' : '[]'))],
  ])('where the outcome is %s', (_outcome, failing) => {
    const fail = (_body: Buffer, feed: FeedName) => failing(feed);
    it('CAT-18, CAT-19: at the start, both feeds are asked again soon, and 4 s apart at most', async () => {
      client.answer = fail;
      refresher.onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(16_000);
      expect(askedAtS('models')).toEqual([0, 1, 3, 7, 11, 15]);
      expect(askedAtS('utilization')).toEqual([0, 1, 3, 7, 11, 15]);
      client.answer = succeed;
      await jest.advanceTimersByTimeAsync(4_000);
      expect([catalog.models.outcome, catalog.utilization.outcome]).toEqual(['ok', 'ok']);
      await jest.advanceTimersByTimeAsync(300_000);
      expect(askedAtS('models').slice(-2)).toEqual([19, 319]);
      expect(askedAtS('utilization').slice(-2)).toEqual([314, 319]);
    });

    it('CAT-5, CAT-18: later, after 1 s, 2 s, 4 s and so on up to the interval', async () => {
      refresher.onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(100);
      const good = catalog.models.last;
      client.answer = fail;
      await jest.advanceTimersByTimeAsync(1_411_000);
      const models = [0, 300, 301, 303, 307, 315, 331, 363, 427, 555, 811, 1_111, 1_411];
      expect(askedAtS('models')).toEqual(models);
      expect(askedAtS('utilization').slice(0, 8)).toEqual([0, 5, 6, 8, 12, 17, 22, 27]);
      expect(good).toBeDefined();
      expect(catalog.models.last).toBe(good);
      client.answer = succeed;
      await jest.advanceTimersByTimeAsync(300_000);
      expect(catalog.models).toMatchObject({ outcome: 'ok', last: { value: good?.value } });
    });
  });

  it('CAT-18: a success in between starts the waiting anew', async () => {
    let count = 0;
    client.answer = (body, feed) => {
      if (feed === 'models') count += 1;
      return count % 3 === 0 ? Promise.resolve(body) : Promise.reject(new FetchError('status 503'));
    };
    refresher.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(304_000);
    expect(askedAtS('models')).toEqual([0, 1, 3, 303, 304]);
  });

  it.each([
    ['fails at once', 0],
    ['never ends', 10_000],
  ])(
    'HLT-20, CAT-4: one refresh that %s leaves both feeds young enough at the defaults',
    async (_how, afterMs) => {
      refresher.onApplicationBootstrap();
      await jest.advanceTimersByTimeAsync(4_000);
      const failed = { models: 0, utilization: 0, stats: 0 };
      client.answer = async (body, feed) => {
        if ((failed[feed] += 1) > 1) return body;
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        throw new FetchError('no complete answer');
      };
      const { readiness } = loadConfig({});
      for (let ms = 0; ms < 700_000; ms += 100) {
        await jest.advanceTimersByTimeAsync(100);
        const now = performance.now();
        expect(ageMs(catalog.models.last, now)).toBeLessThan(readiness.maxAllowlistAgeMs);
        expect(ageMs(catalog.utilization.last, now)).toBeLessThan(readiness.maxSnapshotAgeMs);
      }
      expect(client.mostAtATime).toBe(1);
      expect(failed.models).toBeGreaterThan(1);
      expect(failed.utilization).toBeGreaterThan(1);
    },
  );

  it('CAT-4: a run that ends in a shutdown is the last one', async () => {
    const { promise, reject } = Promise.withResolvers<Buffer>();
    client.answer = () => promise;
    refresher.onApplicationBootstrap();
    refresher.beforeApplicationShutdown();
    reject(new FetchError('The client is destroyed'));
    await jest.advanceTimersByTimeAsync(0);
    expect(jest.getTimerCount()).toBe(0);
    expect(catalog.models.outcome).toBeUndefined();
  });
});
