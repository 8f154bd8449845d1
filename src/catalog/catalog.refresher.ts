import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CONFIG, type Config } from '../config/config.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { CatalogClient } from './catalog.client.js';
import { CatalogService, type FeedName, type Feeds } from './catalog.service.js';
import type { Refresh } from './feed.js';
import { FEED_LIMITS, STATS_LIMITS } from './feed-limits.js';
import { nextTurn, parseInTurns } from '../runtime/parse-in-turns.timer.js';
import { readModelList } from './model-list.js';
import { delayToNextRun } from './refresh-schedule.js';
import { StatisticsReader, withStartDate } from './statistics.js';
import { readUtilization } from './utilization-feed.js';

interface FeedSource<F extends FeedName> {
  readonly feed: F;
  readonly url: () => URL;
  readonly everyMs: number;
  /** Whether clients wait until it has been loaded once. */
  readonly isAwaited: boolean;
  /** `undefined` where the body is not such a feed at all. */
  readonly read: (body: Buffer) => Promise<Reading<Feeds[F]> | undefined>;
}

/** What a body has: how many rows could be used, and how many could not. */
interface Reading<T> {
  readonly value: T;
  readonly count: number;
  readonly skipped: number;
}

/** Fetches the feeds at start and then on their own schedules. The end of a run schedules the next one, so that they never overlap. */
@Injectable()
export class CatalogRefresher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly models: FeedSource<'models'>;
  private readonly utilization: FeedSource<'utilization'>;
  private readonly stats: FeedSource<'stats'> | undefined;
  private isStopping = false;
  /** The last good body of each feed: the same bytes need no second reading. */
  private readonly lastBody = new Map<FeedName, Buffer>();

  constructor(
    @Inject(CONFIG) { catalog: sources }: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly client: CatalogClient,
    private readonly catalog: CatalogService,
    private readonly metrics: MetricsService,
    private readonly scheduler: SchedulerRegistry,
  ) {
    this.models = {
      feed: 'models',
      url: () => sources.modelsUrl,
      everyMs: sources.modelsRefreshMs,
      isAwaited: true,
      read: async (body) => {
        const models = readModelList(await rootOf(body));
        return models && { value: models.list, count: models.list.models.length, skipped: models.skipped };
      },
    };
    this.utilization = {
      feed: 'utilization',
      url: () => sources.utilizationUrl,
      everyMs: sources.utilizationRefreshMs,
      isAwaited: true,
      read: async (body) => {
        const usage = readUtilization(await rootOf(body));
        return usage && { value: usage.rows, count: usage.rows.length, skipped: usage.skipped };
      },
    };
    const { statsUrl, statsRefreshMs } = sources;
    this.stats = statsUrl && {
      feed: 'stats',
      url: () => withStartDate(statsUrl, Date.now()),
      everyMs: statsRefreshMs,
      isAwaited: false,
      read: readStatistics,
    };
  }

  onApplicationBootstrap(): void {
    void this.refresh(this.models);
    void this.refresh(this.utilization);
    if (this.stats) void this.refresh(this.stats);
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
  }

  private async refresh<F extends FeedName>(source: FeedSource<F>): Promise<void> {
    const startedAtMs = performance.now();
    const { feed, everyMs, isAwaited } = source;
    const before = this.catalog[feed];
    const refresh = await this.fetch(source);
    if (this.isStopping) return;
    const nowMs = performance.now();
    this.catalog.apply(feed, refresh, nowMs);
    this.metrics.feedRefreshed(feed, refresh.kind);
    if (refresh.kind !== before.outcome) this.report(feed, refresh);
    const { failures, last } = this.catalog[feed];
    const run = {
      everyMs,
      tookMs: nowMs - startedAtMs,
      failures,
      isLoaded: last !== undefined || !isAwaited,
    };
    this.schedule(source, delayToNextRun(run, Math.random()));
  }

  private schedule<F extends FeedName>(source: FeedSource<F>, delayMs: number): void {
    const name = `refresh-${source.feed}`;
    const timeout = setTimeout(() => {
      this.scheduler.deleteTimeout(name);
      void this.refresh(source);
    }, delayMs);
    this.scheduler.addTimeout(name, timeout);
  }

  private async fetch<F extends FeedName>({ feed, url, read }: FeedSource<F>): Promise<Refresh<Feeds[F]>> {
    try {
      const body = await this.client.get(url());
      const known = this.catalog[feed].last;
      if (known && this.lastBody.get(feed)?.equals(body)) {
        return { kind: 'ok', value: known.value as Feeds[F] };
      }
      // Requests get their turns in between: half a megabyte takes milliseconds.
      await nextTurn();
      const result = await read(body);
      await nextTurn();
      if (!result) return { kind: 'error', reason: 'not the expected JSON' };
      this.metrics.feedRowsSkipped(feed, result.skipped);
      if (result.count === 0) return { kind: 'empty' };
      this.lastBody.set(feed, body);
      return { kind: 'ok', value: result.value };
    } catch (error) {
      return {
        kind: 'error',
        reason: error instanceof SyntaxError ? 'not JSON' : (error as Error).message,
      };
    }
  }

  private report(feed: FeedName, refresh: Refresh<unknown>): void {
    switch (refresh.kind) {
      case 'ok':
        this.logger.info({ feed }, 'feed loaded');
        break;
      case 'empty':
        this.logger.warn({ feed }, 'feed is empty, keeping the last good value');
        break;
      case 'error':
        this.logger.warn({ feed, reason: refresh.reason }, 'feed failed, keeping the last good value');
    }
  }
}

async function rootOf(body: Buffer): Promise<unknown> {
  const root = await parseInTurns(body, FEED_LIMITS);
  await nextTurn();
  return root;
}

/** Each row is read where it is parsed: there can be too many to have them all at once. */
async function readStatistics(body: Buffer): Promise<Reading<Feeds['stats']> | undefined> {
  const reader = new StatisticsReader();
  const root = await parseInTurns(body, STATS_LIMITS, { each: (row) => reader.take(row) });
  const { statistics: value, count, skipped } = reader;
  return Array.isArray(root) ? { value, count, skipped } : undefined;
}
