import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { RequestRecord } from '../request/request-record.js';
import { type CandidateOrder, isSecondChoice, placeOf } from '../routing/candidate-order.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import type { Outcome, UpstreamExchange, UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import type { Opened } from '../upstream/relay.service.js';
import type { AttemptReport, AttemptWatcher } from './attempt-report.js';
import { AttemptReports } from './attempt-reports.service.js';
import { verdict } from './verdict.js';

export interface AttemptPlan {
  readonly order: CandidateOrder;
  readonly isStreamed: boolean;
  readonly promptBytes: number;
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

/** The attempts for one request: the candidates in their order, one at a time, until an answer is chosen. */
class Attempts {
  private readonly limit: number;
  private readonly failoverUntilMs: number;
  private n = 0;

  constructor(
    private readonly config: Config['attempts'],
    private readonly upstream: UpstreamClient,
    private readonly metrics: MetricsService,
    private readonly reports: AttemptReports,
    private readonly plan: AttemptPlan,
    private readonly record: RequestRecord,
  ) {
    this.limit = Math.min(plan.order.candidates.length, config.maxAttempts);
    this.failoverUntilMs = plan.readAtMs + config.failoverDeadlineMs;
  }

  async run(): Promise<Selected | undefined> {
    for (; ; this.n += 1) {
      const report = this.reports.begin(this.model, this.plan.isStreamed, this.plan.watcher);
      const exchange = this.open();
      const outcome = await exchange.outcome;
      if (outcome.kind === 'opened') this.record.trace?.answered(outcome.status);
      const canMove = this.hasNext && performance.now() <= this.failoverUntilMs;
      const { retryableStatuses, failsOverOnCapacity } = this.config;
      const judged = verdict(outcome, { canMove, retryableStatuses, failsOverOnCapacity });
      if (judged.failure) this.count(judged.failure);
      report.onJudged(outcome, judged, exchange.firstByteMs);
      switch (judged.kind) {
        case 'relay':
          return this.select(exchange, outcome as Opened, report);
        case 'next':
          exchange.abandon();
          break;
        case 'stop':
          return answerless(outcome);
      }
    }
  }

  private open(): UpstreamExchange {
    const { config, failoverUntilMs, plan, record } = this;
    const { hasNext } = this;
    const { isStreamed } = plan;
    const { retryableStatuses, retriesEmpty, shapesErrors } = config;
    const request = plan.requestFor(this.model);
    record.trace?.attempted(request, this.model);
    return this.upstream.open(
      request,
      {
        settings: config,
        hasAlternative: isStreamed && hasNext,
        failoverUntilMs,
        learnedMs: this.learnedMs(),
      },
      { client: record, commit: { hasNext, isStreamed, retryableStatuses, retriesEmpty, shapesErrors } },
    );
  }

  /** Later attempts keep the settings' clocks: when all models have slowed down, they bring the answers. */
  private learnedMs(): number {
    const { isStreamed, promptBytes } = this.plan;
    return isStreamed && this.n === 0 && this.hasNext ? this.reports.learnedMs(promptBytes) : Infinity;
  }

  private select(exchange: UpstreamExchange, answer: Opened, report: AttemptReport): Selected {
    const { model, n, plan, record } = this;
    return { exchange, answer, model, report, isSecondChoice: isSecondChoice(plan.order, n, record.mode) };
  }

  private get hasNext(): boolean {
    return this.n + 1 < this.limit;
  }

  private get model(): ModelId {
    const { order } = this.plan;
    return order.candidates[placeOf(order, this.n)]?.model as ModelId;
  }

  private count(reason: FailureReason): void {
    this.record.failovers.push(reason);
    this.record.trace?.failed(reason);
    this.metrics.attemptFailed(reason);
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
  private readonly config: Config['attempts'];

  constructor(
    @Inject(CONFIG) { attempts }: Config,
    private readonly upstream: UpstreamClient,
    private readonly metrics: MetricsService,
    private readonly reports: AttemptReports,
  ) {
    this.config = attempts;
  }

  /**
   * Tries the candidates, of which there is at least one, until an answer is chosen.
   *
   * @returns `undefined` if the client left meanwhile.
   * @throws {ApiError} the last candidate's failure, or `overloaded`
   */
  run(plan: AttemptPlan, record: RequestRecord): Promise<Selected | undefined> {
    return new Attempts(this.config, this.upstream, this.metrics, this.reports, plan, record).run();
  }
}
