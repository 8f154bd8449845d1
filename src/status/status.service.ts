import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { ageMs } from '../catalog/snapshot.js';
import { CONFIG, type Config } from '../config/config.js';
import { allowlistProblem, snapshotProblem } from '../health/readiness.js';
import { LifecycleService } from '../lifecycle/lifecycle.service.js';
import { ApiError } from '../openai/api-error.js';
import { RankingService } from '../ranking/ranking.service.js';
import type { RequestRecord } from '../request/request-record.js';
import type { AliasRef } from '../routing/alias-book.js';
import { ModelHealthService } from '../routing/model-health.service.js';
import { RoutingService } from '../routing/routing.service.js';
import type { Finished } from '../telemetry/request-line.js';
import { type FinishWatcher, RequestTelemetry } from '../telemetry/request-telemetry.service.js';
import { AtMost } from './at-most.js';
import { FinishedRequests } from './finished-requests.js';
import { ModelHistory } from './model-history.js';
import { bestRows, modelDocuments, utilizationOf } from './models-document.js';
import { Watchers } from './watchers.socket.js';

const KEPT_REQUESTS = 200;
const DECISIONS_A_SECOND = 10;
/** As /metrics: whoever asks more often shares an answer. */
const MAX_AGE_MS = 250;

/** What people and programs are shown of the router: its models, its last decisions, and both as they change. */
@Injectable()
export class StatusService implements OnModuleInit, FinishWatcher {
  private readonly requests = new FinishedRequests(KEPT_REQUESTS);
  private readonly history = new ModelHistory();
  private readonly decisionEvents = new AtMost(DECISIONS_A_SECOND, 1_000);
  private readonly documents = new Map<AliasRef, { readonly text: string; readonly madeAtMs: number }>();
  private decisionsMade: { readonly text: string; readonly madeAtMs: number } | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly catalog: CatalogService,
    private readonly routing: RoutingService,
    private readonly lifecycle: LifecycleService,
    private readonly telemetry: RequestTelemetry,
    private readonly watchers: Watchers,
    private readonly ranking: RankingService,
    private readonly health: ModelHealthService,
  ) {}

  onModuleInit(): void {
    this.telemetry.watchedBy(this);
    // Whoever was there before, as routing is, has taken the change in.
    this.catalog.changes.subscribe(() => this.onFeed());
    // What ended before somebody came is in the list that they ask for next, or else nowhere.
    this.watchers.arrivals.subscribe(() => {
      this.decisionsMade = undefined;
    });
  }

  /** Runs once a request: a slot is filled, and nothing is made where nobody watches. */
  onFinished(record: RequestRecord, finished: Finished): void {
    this.requests.add(record, finished);
    if (this.watchers.count === 0 || !this.decisionEvents.passes(finished.endedAtMs)) return;
    const newest = this.requests.newest();
    if (newest) this.watchers.send('decision', newest);
  }

  /** JSON. */
  decisions(): string {
    const nowMs = performance.now();
    if (!this.decisionsMade || nowMs - this.decisionsMade.madeAtMs > MAX_AGE_MS) {
      const text = JSON.stringify({ object: 'list', data: this.requests.documents() });
      this.decisionsMade = { text, madeAtMs: nowMs };
    }
    return this.decisionsMade.text;
  }

  /**
   * JSON.
   *
   * @param value an alias, or one with variants; without one the first alias
   * @throws {ApiError} `model_not_found` where it is none
   */
  models(value: string | undefined): string {
    const alias = this.aliasOf(value);
    const nowMs = performance.now();
    let made = this.documents.get(alias);
    if (!made || nowMs - made.madeAtMs > MAX_AGE_MS) {
      made = { text: JSON.stringify(this.modelsDocument(alias, nowMs)), madeAtMs: nowMs };
      this.documents.set(alias, made);
    }
    return made.text;
  }

  private aliasOf(value: string = this.firstAlias): AliasRef {
    const route = this.routing.route(value);
    if (route.mode !== 'alias') throw ApiError.modelNotFound();
    return route.alias;
  }

  private get firstAlias(): string {
    return [...this.config.routing.aliases.keys()][0] as string;
  }

  private onFeed(): void {
    const nowMs = performance.now();
    this.documents.clear();
    this.followModels(nowMs);
    if (this.watchers.count > 0) {
      this.watchers.send('models', this.modelsDocument(this.aliasOf(undefined), nowMs));
    }
  }

  private followModels(nowMs: number): void {
    const { eligible, catalog } = this.routing.snapshot;
    const rows = bestRows(this.catalog.utilization.last?.value ?? []);
    const ttft = new Map(eligible.map(({ id, ttftS }) => [id, ttftS]));
    this.history.sample(
      catalog.ids.map((id) => {
        const row = rows.get(id);
        return [id, { utilization: row && utilizationOf(row), ttft_s: ttft.get(id) }] as const;
      }),
      nowMs,
    );
  }

  private modelsDocument(ref: AliasRef, nowMs: number): object {
    const { alias, variants, policy } = ref;
    const { models, utilization, stats } = this.catalog;
    const { eligible, catalog } = this.routing.snapshot;
    const problem = this.problem(nowMs);
    return {
      object: 'list',
      at: new Date().toISOString(),
      aliases: [...this.config.routing.aliases.keys()],
      alias,
      variants,
      sort: policy.sort,
      ready: problem === undefined,
      reason: problem ?? null,
      feeds: {
        models: rounded(ageMs(models.last, nowMs)),
        utilization: rounded(ageMs(utilization.last, nowMs)),
        stats: rounded(ageMs(stats.last, nowMs)),
      },
      data: modelDocuments({
        ...this.routing.overviewOf(ref),
        eligible,
        catalog,
        rows: utilization.last?.value ?? [],
        historyOf: (id) => this.history.of(id),
        measuredTtftS: (id) => this.ranking.measuredTtftS(id),
        cooldownOf: (id) => this.health.cooldownOf(id, nowMs),
        nowMs,
      }),
    };
  }

  /** Why `/readyz` is not 200, if it is not. */
  private problem(nowMs: number): string | undefined {
    if (this.lifecycle.isStopping) return 'shutting_down';
    const { models, utilization } = this.catalog;
    const { maxAllowlistAgeMs, maxSnapshotAgeMs } = this.config.readiness;
    const candidates = this.routing.snapshot.eligible.length;
    return (
      allowlistProblem(models, nowMs, maxAllowlistAgeMs) ??
      snapshotProblem(utilization, candidates, nowMs, maxSnapshotAgeMs)
    );
  }
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms);
}
