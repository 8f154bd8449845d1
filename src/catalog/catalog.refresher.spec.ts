import { SchedulerRegistry } from '@nestjs/schedule';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig } from '../config/config.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { CatalogClient } from './catalog.client.js';
import { CatalogRefresher } from './catalog.refresher.js';
import { CatalogService } from './catalog.service.js';

const MODELS = '{"data":[{"id":"a/one"}]}';
const ROWS = '[{"name":"a/one","active_instance_count":1}]';

/** Answers as it is told to, and remembers when it was asked. */
class ClockedClient implements Pick<CatalogClient, 'get'> {
  readonly askedAtMs = { models: [] as number[], utilization: [] as number[] };
  answer = (body: Buffer): Promise<Buffer> => Promise.resolve(body);

  get({ pathname }: URL): Promise<Buffer> {
    const feed = pathname === '/v1/models' ? 'models' : 'utilization';
    this.askedAtMs[feed].push(performance.now());
    return this.answer(Buffer.from(feed === 'models' ? MODELS : ROWS));
  }
}

describe('the schedule of the feeds', () => {
  let client: ClockedClient;
  let catalog: CatalogService;

  beforeEach(() => {
    jest.useFakeTimers();
    client = new ClockedClient();
    catalog = new CatalogService();
    const refresher = new CatalogRefresher(
      loadConfig({}),
      pino({ level: 'silent' }),
      client as unknown as CatalogClient,
      catalog,
      new MetricsService(),
      new SchedulerRegistry(),
    );
    refresher.onApplicationBootstrap();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('CAT-1, CAT-2, CAT-3, CFG-12: both at once, then the models every 300 s and the utilization every 5 s', async () => {
    const startedAtMs = performance.now();
    await jest.advanceTimersByTimeAsync(600_000);
    const { models, utilization } = client.askedAtMs;
    expect(models.map((ms) => ms - startedAtMs)).toEqual([0, 300_000, 600_000]);
    expect(utilization.map((ms) => ms - startedAtMs)).toEqual(
      Array.from({ length: 121 }, (_, n) => n * 5_000),
    );
  });

  it('CAT-4: a fetch that takes longer than the interval makes the next ones wait for it', async () => {
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
    const startedAtMs = performance.now();
    await jest.advanceTimersByTimeAsync(10);
    const first = catalog.utilization.last;
    await jest.advanceTimersByTimeAsync(5_000);
    const second = catalog.utilization.last;
    expect(second?.value).toBe(first?.value);
    expect(first).toBeDefined();
    expect(second?.fetchedAtMs).toBe(startedAtMs + 5_000);
  });

  it('CAT-5: fetches go on after failures', async () => {
    const startedAtMs = performance.now();
    await jest.advanceTimersByTimeAsync(10);
    const good = catalog.models.last;
    client.answer = () => Promise.reject(new Error('status 500'));
    await jest.advanceTimersByTimeAsync(600_000);
    expect(catalog.models.last).toBe(good);
    client.answer = (body) => Promise.resolve(body);
    await jest.advanceTimersByTimeAsync(300_000);
    expect(good).toBeDefined();
    expect(catalog.models.last?.fetchedAtMs).toBe(startedAtMs + 900_000);
  });
});
