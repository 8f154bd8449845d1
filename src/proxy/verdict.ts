import type { FailureReason } from '../openai/failure-reason.js';
import type { Refusal } from '../openai/refusal-kind.js';
import { refusalOf } from '../upstream/refusal.js';
import type { Outcome } from '../upstream/upstream-exchange.client.js';

/** What follows from an attempt. */
export interface Verdict {
  readonly kind:
    | 'relay' // its answer is the client's
    | 'next' // another candidate gets its turn
    | 'stop'; // the router answers itself
  /** Why the attempt counts as failed, be its answer relayed or not. */
  readonly failure?: FailureReason;
  /** What a refusal is about that came while there was somewhere else to go. */
  readonly refusal?: Refusal;
}

export interface Situation {
  /** Whether another candidate is left within the allowed attempts, and the time to try it. */
  readonly canMove: boolean;
  readonly retryableStatuses: ReadonlySet<number>;
  /** Whether one of those left is known to take longer requests than the model that was tried. */
  readonly hasLarger: boolean;
  /** Whether a model that is full is passed over, and not its client told. */
  readonly failsOverOnCapacity: boolean;
}

const RELAY: Verdict = { kind: 'relay' };
const STOP: Verdict = { kind: 'stop' };

export function verdict(outcome: Outcome, situation: Situation): Verdict {
  switch (outcome.kind) {
    case 'opened':
      return verdictOnAnswer(outcome, situation);
    case 'failed':
      return { kind: situation.canMove ? 'next' : 'stop', failure: outcome.reason };
    case 'overloaded':
    case 'abandoned':
      return STOP;
  }
}

function verdictOnAnswer(answer: Extract<Outcome, { kind: 'opened' }>, situation: Situation): Verdict {
  const { status, failure, refusal } = answer;
  const { canMove, retryableStatuses } = situation;
  if (retryableStatuses.has(status)) {
    const failed = { kind: canMove ? 'next' : 'relay', failure: `upstream_${status}` } as const;
    return canMove && status === 503 ? { ...failed, refusal: 'model' } : failed;
  }
  if (failure && !refusal) return { kind: canMove ? 'next' : 'relay', failure };
  const about = canMove ? (refusal ?? (status < 400 ? undefined : refusalOf(status, undefined))) : undefined;
  if (!about) return RELAY;
  return movesOn(about, situation)
    ? { kind: 'next', failure: failure ?? `upstream_${status}`, refusal: about }
    : { kind: 'relay', refusal: about };
}

function movesOn(refusal: Refusal, { failsOverOnCapacity, hasLarger }: Situation): boolean {
  switch (refusal) {
    case 'model':
    case 'ability':
      return true;
    case 'context':
      return hasLarger;
    case 'capacity':
      return failsOverOnCapacity;
    case 'account':
      return false;
  }
}

/** Whether it matters who takes longer requests. */
export function isTooLong(outcome: Outcome): boolean {
  return outcome.kind === 'opened' && outcome.refusal === 'context';
}
