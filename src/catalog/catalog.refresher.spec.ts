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

/** Answers as it is told to, and remembers when it was asked. */
class ClockedClient implements Pick<CatalogClient, 'get'> {
  readonly askedAtMs = { models: [] as number[], utilization: [] as number[] };
  private readonly running = { models: 0, utilization: 0 };
  /** The largest number of fetches of one feed that went on at a time. */
  mostAtATime = 0;
  answer = (body: Buffer, _feed: FeedName): Promise<Buffer> => Promise.resolve(body);

  async get({ pathname }: URL): Promise<Buffer> {
    const feed = pathname === '/v1/models' ? 'models' : 'utilization';
    this.askedAtMs[feed].push(performance.now());
    this.running[feed] += 1;
    this.mostAtATime = Math.max(this.mostAtATime, this.running[feed]);
    try {
      return await this.answer(Buffer.from(feed === 'models' ? MODELS : ROWS), feed);
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
    refresher = new CatalogRefresher(
      loadConfig({}),
      pino({ level: 'silent' }),
      client as unknown as CatalogClient,
      catalog,
      new MetricsService(),
      new SchedulerRegistry(),
    );
  });

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
      const failed = { models: 0, utilization: 0 };
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
