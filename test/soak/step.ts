import type { Exchange } from '../../src/simulator/exchange.ts';
import type { Performance } from '../../src/simulator/faults/perform.ts';

/** An answer in the making. */
export interface Show {
  readonly performance: Performance;
  /** The body of the whole answer. */
  readonly whole: string;
}

/** What the upstream does with one attempt. */
export interface Step {
  readonly name: string;
  /** Whether the end of the connection is the end of its answer. */
  readonly isOpenEnded?: boolean;
  /** What of it a client may get to see. */
  readonly promise: (show: Show) => Promised;
  readonly run: (exchange: Exchange, show: Show) => Promise<void>;
}

/**
 * What may become of an attempt.
 *
 * - `whole`: the client gets exactly this status and body, and a clean end
 * - `told`: the same, and it counts as broken: the upstream has told its error itself
 * - `unframed`: the same as `whole`, and behind it the router's error event
 * - `cut`: the client gets some of this body, and then no clean end
 * - `none`: the client gets nothing of it
 */
export interface Promised {
  readonly kind: 'whole' | 'told' | 'unframed' | 'cut' | 'none';
  readonly status: number;
  readonly body: Buffer;
  /** The names that its failure may have: before the commit, and in the error event after it. */
  readonly reasons: readonly string[];
}

export function whole(status: number, body: string | Buffer): Promised {
  return { kind: 'whole', status, body: Buffer.from(body), reasons: [`upstream_${status}`] };
}

export function none(...reasons: readonly string[]): Promised {
  return { kind: 'none', status: 0, body: Buffer.alloc(0), reasons };
}

export function cut(body: string, reasons: readonly string[] = INTERRUPTED, status = 200): Promised {
  return { kind: 'cut', status, body: Buffer.from(body), reasons: [...reasons, `upstream_${status}`] };
}

/** A reset can overtake the bytes in front of it, wherever they are: then it comes before the commit, as does a break of what is held. */
const INTERRUPTED = [
  'upstream_stream_interrupted',
  'upstream_first_body_byte_error',
  'upstream_broken_body',
  'upstream_reset',
];
