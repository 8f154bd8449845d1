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
import { FEED_LIMITS } from './feed-limits.js';
import { nextTurn, parseInTurns } from '../runtime/parse-in-turns.timer.js';
import type { RowLimits } from '../runtime/row-scanner.js';
import { readModelList } from './model-list.js';
import { delayToNextRun } from './refresh-schedule.js';
import { readUtilization } from './utilization-feed.js';

interface FeedSource<F extends FeedName> {
  readonly feed: F;
  readonly url: URL;
  readonly everyMs: number;
  readonly limits: RowLimits;
  /** `undefined` where the body is not such a feed at all. */
  readonly read: (root: unknown) => { value: Feeds[F]; count: number; skipped: number } | undefined;
}

/** Fetches both feeds at start and then on their own schedules. The end of a run schedules the next one, so that they never overlap. */
@Injectable()
export class CatalogRefresher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly models: FeedSource<'models'>;
  private readonly utilization: FeedSource<'utilization'>;
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
      url: sources.modelsUrl,
      everyMs: sources.modelsRefreshMs,
      limits: FEED_LIMITS,
      read: (root) => {
        const models = readModelList(root);
        return models && { value: models.list, count: models.list.models.length, skipped: models.skipped };
      },
    };
    this.utilization = {
      feed: 'utilization',
      url: sources.utilizationUrl,
      everyMs: sources.utilizationRefreshMs,
      limits: FEED_LIMITS,
      read: (root) => {
        const usage = readUtilization(root);
        return usage && { value: usage.rows, count: usage.rows.length, skipped: usage.skipped };
      },
    };
  }

  onApplicationBootstrap(): void {
    void this.refresh(this.models);
    void this.refresh(this.utilization);
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
  }

  private async refresh<F extends FeedName>(source: FeedSource<F>): Promise<void> {
    const startedAtMs = performance.now();
    const { feed, everyMs } = source;
    const before = this.catalog[feed];
    const refresh = await this.fetch(source);
    if (this.isStopping) return;
    const nowMs = performance.now();
    this.catalog.apply(feed, refresh, nowMs);
    this.metrics.feedRefreshed(feed, refresh.kind);
    if (refresh.kind !== before.outcome) this.report(feed, refresh);
    const { failures, last } = this.catalog[feed];
    const run = { everyMs, tookMs: nowMs - startedAtMs, failures, isLoaded: last !== undefined };
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

  private async fetch<F extends FeedName>({
    feed,
    url,
    limits,
    read,
  }: FeedSource<F>): Promise<Refresh<Feeds[F]>> {
    try {
      const body = await this.client.get(url);
      const known = this.catalog[feed].last;
      if (known && this.lastBody.get(feed)?.equals(body)) {
        return { kind: 'ok', value: known.value as Feeds[F] };
      }
      // Requests get their turns in between: half a megabyte takes milliseconds.
      await nextTurn();
      const root = await parseInTurns(body, limits);
      await nextTurn();
      const result = read(root);
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
