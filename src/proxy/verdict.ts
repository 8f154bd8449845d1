import type { Outcome } from '../upstream/upstream-exchange.client.js';

/** What follows from an attempt. */
export type Verdict =
  | 'relay' // its answer is the client's
  | 'next' // another candidate gets its turn
  | 'stop'; // the router answers itself

export interface Situation {
  /** Whether another candidate is left within the allowed attempts. */
  readonly hasNext: boolean;
  /** Whether it is too late to start another attempt. */
  readonly isLate: boolean;
  readonly retryableStatuses: ReadonlySet<number>;
}

export function verdict(outcome: Outcome, { hasNext, isLate, retryableStatuses }: Situation): Verdict {
  const canMove = hasNext && !isLate;
  switch (outcome.kind) {
    case 'opened':
      return canMove && retryableStatuses.has(outcome.status) ? 'next' : 'relay';
    case 'failed':
      return canMove ? 'next' : 'stop';
    case 'overloaded':
    case 'abandoned':
      return 'stop';
  }
}

/** Why an attempt counts as failed, be its answer relayed or not. */
export function failureReason(outcome: Outcome, retryableStatuses: ReadonlySet<number>): string | undefined {
  switch (outcome.kind) {
    case 'opened':
      return retryableStatuses.has(outcome.status) ? `upstream_${outcome.status}` : undefined;
    case 'failed':
      return outcome.reason;
    case 'overloaded':
    case 'abandoned':
      return undefined;
  }
}
