import type { FailureReason } from '../openai/failure-reason.js';
import type { Outcome } from '../upstream/upstream-exchange.client.js';

/** What follows from an attempt. */
export interface Verdict {
  readonly kind:
    | 'relay' // its answer is the client's
    | 'next' // another candidate gets its turn
    | 'stop'; // the router answers itself
  /** Why the attempt counts as failed, be its answer relayed or not. */
  readonly failure?: FailureReason;
}

export interface Situation {
  /** Whether another candidate is left within the allowed attempts, and the time to try it. */
  readonly canMove: boolean;
  readonly retryableStatuses: ReadonlySet<number>;
}

const RELAY: Verdict = { kind: 'relay' };
const STOP: Verdict = { kind: 'stop' };

export function verdict(outcome: Outcome, { canMove, retryableStatuses }: Situation): Verdict {
  switch (outcome.kind) {
    case 'opened':
      if (!retryableStatuses.has(outcome.status)) return RELAY;
      return { kind: canMove ? 'next' : 'relay', failure: `upstream_${outcome.status}` };
    case 'failed':
      return { kind: canMove ? 'next' : 'stop', failure: outcome.reason };
    case 'overloaded':
    case 'abandoned':
      return STOP;
  }
}
