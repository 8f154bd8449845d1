import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { Asked } from '../reading/asked.js';
import type { RequestRecord } from '../request/request-record.js';
import { type CandidateOrder, isSecondChoice, placeOf } from '../routing/candidate-order.js';
import { largerContext } from '../routing/larger-context.js';
import { RoutingService } from '../routing/routing.service.js';
import { MemoryBudget } from '../runtime/memory-budget.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import type { Outcome, UpstreamExchange, UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import type { Opened } from '../upstream/relay.service.js';
import type { AttemptReport, AttemptWatcher } from './attempt-report.js';
import { AttemptReports } from './attempt-reports.service.js';
import { isTooLong, verdict } from './verdict.js';

export interface AttemptPlan {
  readonly order: CandidateOrder;
  readonly asked: Pick<Asked, 'stream' | 'promptBytes'>;
  /** Whether a model answers, so that attempts say something about it. */
  readonly generates: boolean;
  /** When the request had been read. Monotonic milliseconds. */
  readonly readAtMs: number;
  readonly requestFor: (model: ModelId) => UpstreamRequest;
  readonly watcher: AttemptWatcher | undefined;
}

/** The answer that is to be relayed. */
export interface Selected {
  readonly exchange: UpstreamExchange;
  readonly answer: Opened;
  readonly model: ModelId;
  /** Whether it answers in place of one that goes before it. */
  readonly isSecondChoice: boolean;
  readonly report: AttemptReport;
}

/** What attempts are made with, the same for all requests. */
interface Tools {
  readonly config: Config['attempts'];
  readonly upstream: UpstreamClient;
  readonly metrics: MetricsService;
  readonly routing: RoutingService;
  readonly budget: MemoryBudget;
  readonly reports: AttemptReports;
}

/** The attempts for one request: the candidates in their order, one at a time, until an answer is chosen. */
class Attempts {
  private readonly failoverUntilMs: number;
  /** Which candidate is being tried, and how many attempts that makes. They differ once candidates have been passed over. */
  private n = 0;
  private attempts = 1;

  constructor(
    private readonly tools: Tools,
    private readonly plan: AttemptPlan,
    private readonly record: RequestRecord,
  ) {
    this.failoverUntilMs = plan.readAtMs + tools.config.failoverDeadlineMs;
  }

  async run(): Promise<Selected | undefined> {
    for (; ; this.attempts += 1) {
      const report = this.tools.reports.begin(this.model, this.plan, this.plan.watcher);
      const exchange = this.open();
      const outcome = await exchange.outcome;
      if (outcome.kind === 'opened') this.record.trace?.answered(outcome.status);
      const canMove = this.hasNext && performance.now() <= this.failoverUntilMs;
      const largerAt = canMove && isTooLong(outcome) ? this.largerAt() : undefined;
      const { retryableStatuses, failsOverOnCapacity } = this.tools.config;
      const judged = verdict(outcome, {
        canMove,
        hasLarger: largerAt !== undefined,
        retryableStatuses,
        failsOverOnCapacity,
      });
      if (judged.refusal) this.tools.metrics.refused(judged.refusal);
      if (judged.failure) this.count(judged.failure);
      report.onJudged(outcome, judged, exchange.firstByteMs);
      switch (judged.kind) {
        case 'relay':
          return this.select(exchange, outcome as Opened, report);
        case 'next':
          exchange.abandon();
          this.n = largerAt ?? this.n + 1;
          break;
        case 'stop':
          return answerless(outcome);
      }
    }
  }

  private open(): UpstreamExchange {
    const { failoverUntilMs, plan, record } = this;
    const { config, upstream, budget } = this.tools;
    const { hasNext } = this;
    const { stream: isStreamed } = plan.asked;
    const { retryableStatuses, retriesEmpty, shapesErrors } = config;
    const request = plan.requestFor(this.model);
    record.trace?.attempted(request, this.model);
    return upstream.open(
      request,
      {
        settings: config,
        hasAlternative: isStreamed && hasNext,
        failoverUntilMs,
        learnedMs: this.learnedMs(),
      },
      {
        client: record,
        budget,
        commit: { hasNext, isStreamed, retryableStatuses, retriesEmpty, shapesErrors },
      },
    );
  }

  /** Later attempts keep the settings' clocks: when all models have slowed down, they bring the answers. */
  private learnedMs(): number {
    const { stream, promptBytes } = this.plan.asked;
    return stream && this.n === 0 && this.hasNext ? this.tools.reports.learnedMs(promptBytes) : Infinity;
  }

  private select(exchange: UpstreamExchange, answer: Opened, report: AttemptReport): Selected {
    const { model, n, plan } = this;
    return {
      exchange,
      answer,
      model,
      report,
      isSecondChoice: isSecondChoice(plan.order, n, this.record.mode),
    };
  }

  private get hasNext(): boolean {
    return this.n + 1 < this.plan.order.candidates.length && this.attempts < this.tools.config.maxAttempts;
  }

  private get model(): ModelId {
    const { order } = this.plan;
    return order.candidates[placeOf(order, this.n)]?.model as ModelId;
  }

  private largerAt(): number | undefined {
    return largerContext(this.plan.order, this.n, this.tools.routing.snapshot.catalog);
  }

  private count(reason: FailureReason): void {
    this.record.failovers.push(reason);
    this.record.trace?.failed(reason);
    this.tools.metrics.attemptFailed(reason);
  }
}

/** @returns `undefined` if the client left. */
function answerless(outcome: Outcome): undefined {
  if (outcome.kind === 'failed') throw ApiError.upstream(outcome.reason);
  if (outcome.kind === 'overloaded') throw ApiError.overloaded();
}

/** Makes the attempts for requests. */
@Injectable()
export class AttemptsService {
  private readonly tools: Tools;

  constructor(
    @Inject(CONFIG) { attempts: config }: Config,
    upstream: UpstreamClient,
    metrics: MetricsService,
    routing: RoutingService,
    budget: MemoryBudget,
    reports: AttemptReports,
  ) {
    this.tools = { config, upstream, metrics, routing, budget, reports };
  }

  /**
   * Tries the candidates, of which there is at least one, until an answer is chosen.
   *
   * @returns `undefined` if the client left meanwhile.
   * @throws {ApiError} the last candidate's failure, or `overloaded`
   */
  run(plan: AttemptPlan, record: RequestRecord): Promise<Selected | undefined> {
    return new Attempts(this.tools, plan, record).run();
  }
}
