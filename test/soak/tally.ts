import type { Stall } from '../support/stall-watch.ts';
import { sum } from '../support/table.ts';
import type { AttemptCount } from './judge-attempts.ts';

const SHOWN_PROBLEMS = 20;

/** A request for which something came late, and how long something must have stood still meanwhile to excuse it. */
export interface Late extends Stall {
  readonly what: string;
  readonly excusedByMs: number;
}

/** What happened, in numbers. */
export class Tally {
  readonly requests = new Map<string, number>();
  readonly outcomes = new Map<string, number>();
  readonly attempts = {
    attempts: 0,
    arrived: 0,
    notConnected: 0,
    brokenOnTheWay: 0,
    abandonedOnTheWay: 0,
    lateOnTheWay: 0,
  };
  logLines = 0;
  failovers = 0;
  clientsGone = 0;
  /** Requests that a timer of the router's met though nobody meant to be slow, or that outlived their client. */
  readonly late: Late[] = [];
  /** What must not be, each with the request that it is about. */
  readonly problems: string[] = [];

  add(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  addAttempts(counts: AttemptCount): void {
    for (const [name, count] of Object.entries(counts) as [keyof AttemptCount, number][]) {
      this.attempts[name] += count;
    }
  }

  get total(): number {
    return sum(this.requests);
  }

  /** The problems, no more than can be read. */
  get shownProblems(): string[] {
    const more = this.problems.length - SHOWN_PROBLEMS;
    return [...this.problems.slice(0, SHOWN_PROBLEMS), ...(more > 0 ? [`… and ${more} more`] : [])];
  }
}
