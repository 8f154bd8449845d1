import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { Refusal } from '../openai/refusal-kind.js';
import type { RequestRecord } from '../request/request-record.js';
import { type CandidateOrder, isSecondChoice, placeOf } from '../routing/candidate-order.js';
import { largerContext } from '../routing/larger-context.js';
import { RoutingService } from '../routing/routing.service.js';
import { MemoryBudget } from '../runtime/memory-budget.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import type { Outcome, UpstreamExchange, UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import type { Opened } from '../upstream/relay.service.js';
import { isTooLong, verdict } from './verdict.js';

/** Is told what attempts show. */
export interface AttemptWatcher {
  onFailed(model: ModelId, reason: FailureReason): void;
}

export interface AttemptPlan {
  readonly order: CandidateOrder;
  readonly isStreamed: boolean;
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
  /** Whether it answers because one before it failed. */
  readonly isSecondChoice: boolean;
}

/** What attempts are made with, the same for all requests. */
interface Tools {
  readonly config: Config['attempts'];
  readonly upstream: UpstreamClient;
  readonly metrics: MetricsService;
  readonly routing: RoutingService;
  readonly budget: MemoryBudget;
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
      const exchange = this.open();
      const outcome = await exchange.outcome;
      if (outcome.kind === 'opened') this.record.trace?.answered(outcome.status);
      const canMove = this.hasNext && performance.now() <= this.failoverUntilMs;
      const largerAt = canMove && isTooLong(outcome) ? this.largerAt() : undefined;
      const { retryableStatuses, failsOverOnCapacity } = this.tools.config;
      const { kind, failure, refusal } = verdict(outcome, {
        canMove,
        hasLarger: largerAt !== undefined,
        retryableStatuses,
        failsOverOnCapacity,
      });
      if (refusal) this.tools.metrics.refused(refusal);
      if (failure) this.report(failure, refusal);
      switch (kind) {
        case 'relay':
          return {
            exchange,
            answer: outcome as Opened,
            model: this.model,
            isSecondChoice: isSecondChoice(this.plan.order, this.n),
          };
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
    const { isStreamed } = plan;
    const { retryableStatuses, retriesEmpty, shapesErrors } = config;
    const request = plan.requestFor(this.model);
    record.trace?.attempted(request, this.model);
    return upstream.open(
      request,
      { settings: config, hasAlternative: isStreamed && hasNext, failoverUntilMs },
      {
        client: record,
        budget,
        commit: { hasNext, isStreamed, retryableStatuses, retriesEmpty, shapesErrors },
      },
    );
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

  private report(reason: FailureReason, refusal: Refusal | undefined): void {
    this.record.failovers.push(reason);
    this.record.trace?.failed(reason);
    this.tools.metrics.attemptFailed(reason);
    // That it cannot do this one request says nothing against a model.
    if (refusal !== 'context' && refusal !== 'ability') this.plan.watcher?.onFailed(this.model, reason);
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
  ) {
    this.tools = { config, upstream, metrics, routing, budget };
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
