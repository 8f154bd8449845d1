import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { RequestRecord } from '../request/request-record.js';
import { type CandidateOrder, placeOf } from '../routing/candidate-order.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { Refusal } from '../upstream/refusal.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import type { Outcome, UpstreamExchange, UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import type { Opened } from '../upstream/relay.service.js';
import { verdict } from './verdict.js';

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
  /** The model's place in the decided order, from 0 on. */
  readonly place: number;
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
    private readonly plan: AttemptPlan,
    private readonly record: RequestRecord,
  ) {
    this.limit = Math.min(plan.order.candidates.length, config.maxAttempts);
    this.failoverUntilMs = plan.readAtMs + config.failoverDeadlineMs;
  }

  async run(): Promise<Selected | undefined> {
    for (; ; this.n += 1) {
      const exchange = this.open();
      const outcome = await exchange.outcome;
      if (outcome.kind === 'opened') this.record.trace?.answered(outcome.status);
      const canMove = this.hasNext && performance.now() <= this.failoverUntilMs;
      const { retryableStatuses, failsOverOnCapacity } = this.config;
      const { kind, failure, refusal } = verdict(outcome, {
        canMove,
        retryableStatuses,
        failsOverOnCapacity,
      });
      if (failure) this.report(failure, refusal);
      switch (kind) {
        case 'relay':
          return { exchange, answer: outcome as Opened, model: this.model, place: this.place };
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
      { settings: config, hasAlternative: isStreamed && hasNext, failoverUntilMs },
      { client: record, commit: { hasNext, isStreamed, retryableStatuses, retriesEmpty, shapesErrors } },
    );
  }

  private get hasNext(): boolean {
    return this.n + 1 < this.limit;
  }

  private get place(): number {
    return placeOf(this.plan.order, this.n);
  }

  private get model(): ModelId {
    return this.plan.order.candidates[this.place]?.model as ModelId;
  }

  private report(reason: FailureReason, refusal: Refusal | undefined): void {
    this.record.failovers.push(reason);
    this.record.trace?.failed(reason);
    this.metrics.attemptFailed(reason);
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
  private readonly config: Config['attempts'];

  constructor(
    @Inject(CONFIG) { attempts }: Config,
    private readonly upstream: UpstreamClient,
    private readonly metrics: MetricsService,
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
    return new Attempts(this.config, this.upstream, this.metrics, plan, record).run();
  }
}
