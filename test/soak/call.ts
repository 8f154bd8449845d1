import type { IncomingHttpHeaders } from 'node:http';
import type { LogLine } from '../support/router.ts';
import { nowMs } from '../support/stall-watch.ts';
import type { Carrier } from './front.ts';
import type { Promised, Step } from './step.ts';

/**
 * How a request ended for its client: `complete` with a clean end, `cut` after the answer had begun, `none`
 * without an answer, `left` by the client itself, `hung` when nothing came of it for very long.
 */
export type ClientEnding = 'complete' | 'cut' | 'none' | 'left' | 'hung';

/** The answer as the client got it. */
export interface Seen {
  readonly ending: ClientEnding;
  /** 0: none came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly endedAtMs: number;
}

/** A request as it arrived at the upstream. */
export interface Arrival {
  readonly step: string;
  readonly model: string;
  readonly promised: Promised;
  /** Whether the body was the client's but for the model. */
  readonly isBodyRight: boolean;
  readonly carrier: Carrier;
  readonly arrivedAtMs: number;
  /** Whether the exchange is over, and how. */
  readonly ending: () => string;
  /** When it was over; undefined while it is not. */
  readonly endedAtMs: () => number | undefined;
}

export type CallMode = 'alias' | 'list' | 'direct' | 'evidence' | 'none';

/** What is known beforehand of how a request should end. */
export interface CallPlan {
  readonly mode: CallMode;
  readonly isStream: boolean;
  /** What the upstream does, attempt by attempt; then it answers well. */
  readonly steps: readonly Step[];
  /** The body as the upstream is to get it; undefined where nothing may arrive. */
  readonly bodyFor?: (model: string) => Buffer;
  /** The errors that the router may answer with by itself, beside those of the attempts. */
  readonly errors: readonly string[];
  /** For answers of the router's own: what is wrong with it. */
  readonly complaint?: (seen: Seen) => string | undefined;
  /** Whether the router counts and logs it: not always, where its head may not have arrived. */
  readonly lines: 0 | 1 | 'at most 1';
  /** Whether the request cannot say its id, so that the answer carries one of the router's. */
  readonly hasForeignId?: boolean;
  /** Whether the client may see the connection end without any answer. */
  readonly mayBeUnanswered?: boolean;
  /** Whether the client reads so slowly that it may be cut for it. */
  readonly isSlowReader?: boolean;
}

/** One request, seen from all three sides. */
export class Call {
  readonly id: string;
  readonly kind: string;
  readonly plan: CallPlan;
  /** In milliseconds since the epoch. */
  readonly begunAtMs = nowMs();
  readonly arrivals: Arrival[] = [];
  readonly lines: LogLine[] = [];
  seen: Seen | undefined;

  constructor(id: string, kind: string, plan: CallPlan) {
    this.id = id;
    this.kind = kind;
    this.plan = plan;
  }

  /** Whether all has come that is to come: not sure before the end, where it was left or its line is optional. */
  get isSettled(): boolean {
    const isAnswered = this.seen?.ending === 'complete' || this.seen?.ending === 'cut';
    return isAnswered && this.lines.length >= (this.plan.lines === 0 ? 0 : 1);
  }
}
