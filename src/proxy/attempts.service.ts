import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { RequestRecord } from '../request/request-record.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import type { Outcome, UpstreamExchange, UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import type { Opened } from '../upstream/relay.service.js';
import { type CandidateOrder, placeOf } from '../routing/candidate-order.js';
import { failureReason, verdict } from './verdict.js';

export interface AttemptPlan {
  readonly order: CandidateOrder;
  readonly isStreamed: boolean;
  /** When the request had been read. Monotonic milliseconds. */
  readonly readAtMs: number;
  readonly requestFor: (model: ModelId) => UpstreamRequest;
}

/** The answer that is to be relayed. */
export interface Selected {
  readonly exchange: UpstreamExchange;
  readonly answer: Opened;
  readonly model: ModelId;
  /** The model's place in the client's own order, from 0 on. */
  readonly place: number;
}

/**
 * The attempts for one request: the candidates in their order, one at a time, until an answer is chosen. The first one is opened
 * at once. Until it is over, whoever has begun them waits for the outcome and has it judged; an async function that does so here
 * would cost each request two promises more.
 */
export class Attempts {
  /** `undefined` until there is one, and if the client left meanwhile. */
  selected: Selected | undefined;
  isOver = false;
  private readonly limit: number;
  private readonly failoverUntilMs: number;
  private n = 0;
  private exchange: UpstreamExchange;

  constructor(
    private readonly config: Config['attempts'],
    private readonly upstream: UpstreamClient,
    private readonly metrics: MetricsService,
    private readonly plan: AttemptPlan,
    private readonly record: RequestRecord,
  ) {
    this.limit = Math.min(plan.order.candidates.length, config.maxAttempts);
    this.failoverUntilMs = plan.readAtMs + config.failoverDeadlineMs;
    this.exchange = this.open();
  }

  /** Of the attempt that runs. */
  get outcome(): Promise<Outcome> {
    return this.exchange.outcome;
  }

  /**
   * Ends the attempt that runs, and opens the next one where that follows from its outcome.
   *
   * @throws {ApiError} the last candidate's failure, or `overloaded`
   */
  judge(outcome: Outcome): void {
    this.count(outcome);
    const { hasNext } = this;
    const isLate = hasNext && performance.now() > this.failoverUntilMs;
    const { retryableStatuses } = this.config;
    switch (verdict(outcome, { hasNext, isLate, retryableStatuses })) {
      case 'relay': {
        const { exchange, model, place } = this;
        this.selected = { exchange, answer: outcome as Opened, model, place };
        this.isOver = true;
        break;
      }
      case 'next':
        this.exchange.abandon();
        this.n += 1;
        this.exchange = this.open();
        break;
      case 'stop':
        this.isOver = true;
        if (outcome.kind === 'failed') throw ApiError.upstream(outcome.reason);
        if (outcome.kind === 'overloaded') throw ApiError.overloaded();
    }
  }

  private open(): UpstreamExchange {
    const { config, failoverUntilMs, plan, record } = this;
    const hasAlternative = plan.isStreamed && this.hasNext;
    return this.upstream.open(
      plan.requestFor(this.model),
      { settings: config, hasAlternative, failoverUntilMs },
      { client: record },
    );
  }

  private get hasNext(): boolean {
    return this.n + 1 < this.limit;
  }

  private get place(): number {
    return placeOf(this.plan.order, this.n);
  }

  private get model(): ModelId {
    return this.plan.order.candidates[this.place] as ModelId;
  }

  private count(outcome: Outcome): void {
    const reason = failureReason(outcome, this.config.retryableStatuses);
    if (reason === undefined) return;
    this.record.failovers.push(reason);
    this.metrics.attemptFailed(reason);
  }
}

/** Begins the attempts for requests. */
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

  /** Opens the first attempt. There is at least one candidate. */
  begin(plan: AttemptPlan, record: RequestRecord): Attempts {
    return new Attempts(this.config, this.upstream, this.metrics, plan, record);
  }
}
