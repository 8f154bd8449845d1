import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { RequestRecord } from '../telemetry/request-record.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import type { Outcome, UpstreamExchange, UpstreamRequest } from '../upstream/upstream-exchange.js';
import type { Opened } from '../upstream/relay.service.js';
import { type CandidateOrder, placeOf } from './candidate-order.js';
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

/** Tries the candidates in order until an answer is chosen. */
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
   * @returns `undefined` if the client left meanwhile.
   * @throws {ApiError} the last candidate's failure, or `overloaded`
   */
  async run(plan: AttemptPlan, record: RequestRecord): Promise<Selected | undefined> {
    const { candidates } = plan.order;
    const limit = Math.min(candidates.length, this.config.maxAttempts);
    const failoverUntilMs = plan.readAtMs + this.config.failoverDeadlineMs;

    for (let n = 0; ; n++) {
      const hasNext = n + 1 < limit;
      const place = placeOf(plan.order, n);
      const model = candidates[place] as ModelId;
      const exchange = this.upstream.open(
        plan.requestFor(model),
        { settings: this.config, hasAlternative: plan.isStreamed && hasNext, failoverUntilMs },
        { client: record },
      );
      const outcome = await exchange.outcome;
      this.count(outcome, record);

      const isLate = hasNext && performance.now() > failoverUntilMs;
      const { retryableStatuses } = this.config;
      switch (verdict(outcome, { hasNext, isLate, retryableStatuses })) {
        case 'relay':
          return { exchange, answer: outcome as Opened, model, place };
        case 'next':
          exchange.abandon();
          break;
        case 'stop':
          if (outcome.kind === 'failed') throw ApiError.upstream(outcome.reason);
          if (outcome.kind === 'overloaded') throw ApiError.overloaded();
          return undefined;
      }
    }
  }

  private count(outcome: Outcome, record: RequestRecord): void {
    const reason = failureReason(outcome, this.config.retryableStatuses);
    if (reason === undefined) return;
    record.failovers.push(reason);
    this.metrics.attemptFailed(reason);
  }
}
