import type { Arrival, Call } from './call.ts';
import type { Limits } from './judge.ts';

/** Where the attempts of one request, as its log line counts them, are to be found. */
export interface AttemptCount {
  readonly attempts: number;
  readonly arrived: number;
  readonly notConnected: number;
  /** Cut on the way to the upstream, before they arrived. */
  readonly brokenOnTheWay: number;
  /** Given up by the client before they arrived. */
  readonly abandonedOnTheWay: number;
  /** Timed out before they arrived, the machine being busy. */
  readonly lateOnTheWay: number;
}

/** What a cut on the way looks like. */
const BREAKS = new Set(['upstream_reset', 'upstream_first_body_byte_error', 'upstream_broken_body']);
/** How early a timer may fire: clocks round. */
const EARLY_MS = 5;

export interface AttemptVerdict {
  /** Undefined if the log line and the arrivals do not agree. */
  readonly count: AttemptCount | undefined;
  readonly problems: readonly string[];
  readonly isLate: boolean;
  /** For how long its upstream request went on after its client had left, in milliseconds. */
  readonly wentOnMs: number;
}

/** Compares what arrived at the upstream with what the log line says of it. */
export function judgeAttempts(call: Call, limits: Limits): AttemptVerdict {
  const { arrivals, plan, seen } = call;
  const { attempts, failovers } = lineOf(call);
  const explanation = explain(call, limits);
  const attemptsHeader = seen?.headers['x-chutes-autopilot-attempts'];
  const disagreement = `its line says ${attempts} attempts, of which failed: ${failovers.join(', ') || 'none'}`;
  const problems: [boolean, string][] = [
    [!explanation, disagreement],
    [new Set(arrivals.map(({ model }) => model)).size < arrivals.length, 'a model was asked twice'],
    [plan.mode === 'direct' && arrivals.length > 1, 'a direct request was sent twice'],
    [!arrivals.every(({ isBodyRight }) => isBodyRight), 'its body was changed on the way'],
    [Number(attemptsHeader ?? attempts) !== attempts, `its answer says ${String(attemptsHeader)} attempts`],
  ];
  return {
    count: explanation?.count,
    problems: problems.flatMap(([is, text]) => (is ? [text] : [])),
    isLate: explanation?.isLate ?? false,
    wentOnMs: wentOnMs(call),
  };
}

interface Explanation {
  readonly count: AttemptCount;
  readonly isLate: boolean;
}

/** Finds, for each failed attempt in turn, the arrival that failed so, or why there is none. */
function explain(call: Call, limits: Limits): Explanation | undefined {
  const { attempts, failovers, durationMs, isClientGone } = lineOf(call);
  const reasons = failovers.filter((reason) => reason !== 'upstream_connect_error');
  const notConnected = failovers.length - reasons.length;
  const arrived = call.arrivals.length;
  // Only the last attempt can be under way when the client leaves.
  const mayBeAbandoned = isClientGone && attempts > failovers.length ? 1 : 0;
  const known: Known = {
    selected: call.seen?.headers['x-chutes-autopilot-selected'],
    isTimeUp: (reason) => durationMs >= timeoutOf(reason, limits) - EARLY_MS,
  };

  for (const { broken, late, lateOnTheWay } of waysToExplain(reasons, call.arrivals, known)) {
    const abandoned = attempts - arrived - notConnected - broken - lateOnTheWay;
    if (abandoned === 0 || abandoned === mayBeAbandoned) {
      const count = { brokenOnTheWay: broken, abandonedOnTheWay: abandoned, lateOnTheWay };
      return { count: { attempts, arrived, notConnected, ...count }, isLate: late > 0 };
    }
  }
  return undefined;
}

interface Known {
  /** The model whose answer the client has got, if it was told. */
  readonly selected: unknown;
  readonly isTimeUp: (reason: string) => boolean;
}

interface Way {
  readonly broken: number;
  readonly late: number;
  readonly lateOnTheWay: number;
}

/** How a request looks whose client has left: it may not know yet. One that is never closed is found at the end, as a socket. */
const GIVEN_UP: ReadonlySet<string> = new Set(['client-gone', 'open']);

function* waysToExplain(
  [reason, ...others]: readonly string[],
  arrivals: readonly Arrival[],
  known: Known,
): Generator<Way> {
  if (reason === undefined) {
    // What is left is the answer, or the attempt that the client did not wait for.
    const isAnswer = arrivals.every(({ model }) => model === (known.selected ?? model));
    if (arrivals.length <= 1 && isAnswer) yield { broken: 0, late: 0, lateOnTheWay: 0 };
    return;
  }
  const [next, ...later] = arrivals;
  if (next && canFailWith(next, reason)) yield* waysToExplain(others, later, known);
  if (BREAKS.has(reason)) {
    for (const way of waysToExplain(others, arrivals, known)) yield { ...way, broken: way.broken + 1 };
  }
  if (!known.isTimeUp(reason)) return;
  for (const late of arrivals) {
    // What the router has given up can still arrive, behind what it has sent since.
    if (late !== next && !GIVEN_UP.has(late.ending())) continue;
    const rest = arrivals.filter((arrival) => arrival !== late);
    for (const way of waysToExplain(others, rest, known)) yield { ...way, late: way.late + 1 };
  }
  for (const way of waysToExplain(others, arrivals, known)) {
    yield { ...way, late: way.late + 1, lateOnTheWay: way.lateOnTheWay + 1 };
  }
}

function canFailWith({ promised, carrier }: Arrival, reason: string): boolean {
  return promised.reasons.includes(reason) || (BREAKS.has(reason) && carrier.cutAtMs !== undefined);
}

/** How long the router waits before it gives this reason. */
function timeoutOf(reason: string, limits: Limits): number {
  switch (reason) {
    case 'upstream_header_timeout':
      return limits.headerTimeoutMs;
    case 'upstream_first_body_byte_timeout':
      return limits.firstByteTimeoutMs;
    default:
      return Infinity;
  }
}

function wentOnMs({ arrivals, seen }: Call): number {
  if (seen?.ending !== 'left') return 0;
  return Math.max(0, ...arrivals.map(({ endedAtMs }) => (endedAtMs() ?? Infinity) - seen.endedAtMs));
}

function lineOf({ lines: [line] }: Call) {
  return {
    attempts: Number(line?.['attempts'] ?? 0),
    failovers: (line?.['failovers'] ?? []) as readonly string[],
    durationMs: Number(line?.['duration_ms'] ?? 0),
    isClientGone: line?.['ending'] === 'client_gone',
  };
}
