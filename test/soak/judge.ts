import { type RouterError, routerErrorOf } from '../support/router-error.ts';
import type { Arrival, Call, Seen } from './call.ts';
import { errorBehind, eventBehind, isBeginning } from './error-event.ts';
import { type AttemptCount, judgeAttempts } from './judge-attempts.ts';

const LATE_REQUEST = 'request_timeout';

/** What became of a request. `lost` is what must never be. */
export type Outcome =
  | 'answered whole'
  | 'answered by the router'
  | 'router error'
  | 'cut visibly'
  | 'cut: the client did not read'
  | 'left by its client'
  | 'behind a cut answer'
  | 'lost';

export interface Verdict {
  readonly outcome: Outcome;
  readonly problems: readonly string[];
  readonly attempts: AttemptCount | undefined;
  /** Whether a timer of the router's fired for an upstream or a client that did nothing wrong but was late. */
  readonly isLate: boolean;
  readonly wentOnMs: number;
}

/** The router's settings that the verdict needs, in milliseconds. */
export interface Limits {
  readonly headerTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** Judges one request by what its client, its upstream and its log line say. */
export function judge(call: Call, limits: Limits): Verdict {
  if (isHeadLate(call)) {
    return { outcome: 'router error', problems: [], attempts: undefined, isLate: true, wentOnMs: 0 };
  }
  const { outcome, problem, isLate } = judgeAnswer(call, limits);
  const attempts = judgeAttempts(call, limits);
  return {
    outcome,
    problems: [...(problem === undefined ? [] : [problem]), ...lineProblems(call), ...attempts.problems],
    attempts: attempts.count,
    isLate: isLate === true || attempts.isLate,
    wentOnMs: attempts.wentOnMs,
  };
}

/** Whether the router has given up a head before it was all there: then it knows no id, and nothing is logged. */
function isHeadLate({ seen, lines, plan }: Call): boolean {
  if (seen?.status !== 408 || lines.length > 0 || plan.hasForeignId === true) return false;
  const error = routerErrorOf(seen);
  return typeof error !== 'string' && error.code === LATE_REQUEST;
}

interface AnswerVerdict {
  readonly outcome: Outcome;
  readonly problem?: string;
  readonly isLate?: boolean;
}

function judgeAnswer(call: Call, limits: Limits): AnswerVerdict {
  const { seen, plan } = call;
  if (!seen) return lost('there is no answer at all');
  switch (seen.ending) {
    case 'complete':
      return judgeComplete(call, seen);
    case 'cut':
      return judgeCut(call, seen, limits);
    case 'left':
      return isPartRight(call, seen) ? { outcome: 'left by its client' } : lost('its bytes are wrong');
    case 'none':
      return plan.mayBeUnanswered === true
        ? { outcome: 'behind a cut answer' }
        : lost('the connection ended without an answer');
    case 'hung':
      return lost('nothing came for very long');
  }
}

function judgeComplete(call: Call, seen: Seen): AnswerVerdict {
  const { plan } = call;
  if (plan.hasForeignId !== true && seen.headers['x-request-id'] !== call.id) {
    return lost('it carries the id of another request');
  }
  const winner = winnerOf(call, seen);
  if (winner && isAllOf(winner, seen)) return { outcome: 'answered whole' };
  if (plan.complaint) {
    const complaint = plan.complaint(seen);
    return complaint === undefined ? { outcome: 'answered by the router' } : lost(complaint);
  }
  const error = routerErrorOf(seen);
  if (typeof error === 'string') {
    return lost(
      `a complete answer that neither the upstream (${winner?.step}) nor the router gave: ${error}`,
    );
  }
  if (isExpectedError(call, error)) return { outcome: 'router error' };
  return error.code === LATE_REQUEST
    ? { outcome: 'router error', isLate: true }
    : lost(`the error ${error.code} does not belong there`);
}

/** Whether a complete answer is all that the upstream sent, to the byte. */
function isAllOf({ promised: { kind, status, body } }: Arrival, seen: Seen): boolean {
  if (seen.status !== status) return false;
  if (kind === 'whole' || kind === 'told') return seen.body.equals(body);
  const isAllThere = isBeginning(seen.body.subarray(0, body.length), body) && seen.body.length >= body.length;
  return kind === 'unframed' && isAllThere && errorBehind(body, seen.body) === 'upstream_stream_interrupted';
}

function isExpectedError({ plan, lines: [line] }: Call, { code }: RouterError): boolean {
  if (plan.errors.includes(code)) return true;
  // Beside those, only the last failed attempt is the answer.
  return plan.bodyFor !== undefined && code === (line?.['failovers'] as string[] | undefined)?.at(-1);
}

function judgeCut(call: Call, seen: Seen, { idleTimeoutMs }: Limits): AnswerVerdict {
  const winner = winnerOf(call, seen);
  if (!winner) return lost(`an answer with status ${seen.status} was cut that the upstream did not send`);
  if (!isPartRight(call, seen)) return lost('its bytes are wrong');
  if (call.plan.isSlowReader === true) return { outcome: 'cut: the client did not read' };

  const { promised, carrier, step } = winner;
  const isEventStream = seen.headers['content-type']?.startsWith('text/event-stream') === true;
  const code = isEventStream ? errorBehind(promised.body, seen.body) : undefined;
  if (isEventStream && code === undefined) return lost('an event stream was cut without an error event');
  const isCutOnTheWay = carrier.cutAtMs !== undefined && carrier.cutAtMs <= seen.endedAtMs;
  if (promised.kind === 'cut' && (code === undefined || promised.reasons.includes(code))) {
    return { outcome: 'cut visibly' };
  }
  if (isCutOnTheWay && (code === undefined || code === 'upstream_stream_interrupted')) {
    return { outcome: 'cut visibly' };
  }
  const mayBeIdle = (code ?? 'upstream_idle_timeout') === 'upstream_idle_timeout';
  return mayBeIdle && Number(call.lines[0]?.['duration_ms']) >= idleTimeoutMs
    ? { outcome: 'cut visibly', isLate: true }
    : lost(`a whole answer (${step}) was cut (${code})`);
}

/** Whether the part of an answer that a client has got is of the right one. */
function isPartRight(call: Call, seen: Seen): boolean {
  const winner = winnerOf(call, seen);
  // Nothing, or some of the router's own.
  if (!winner) return seen.status === 0 || seen.status >= 400;
  const { body } = winner.promised;
  return isBeginning(seen.body, body) || eventBehind(body, seen.body) !== undefined || isErrorPart(seen);
}

/** Whether it can be the beginning of a router's own error. */
function isErrorPart({ status, body }: Seen): boolean {
  const start = Buffer.from('{"error":{"message":"');
  return status >= 400 && start.subarray(0, body.length).equals(body.subarray(0, start.length));
}

/** The arrival whose answer this is, if it is one of the upstream's. */
function winnerOf({ plan, arrivals }: Call, { status, headers }: Seen): Arrival | undefined {
  if (plan.mode === 'alias' || plan.mode === 'list') {
    const selected = headers['x-chutes-autopilot-selected'];
    return selected === undefined ? undefined : arrivals.find(({ model }) => model === selected);
  }
  const last = arrivals.at(-1);
  return last?.promised.status === status ? last : undefined;
}

function lineProblems({ lines, plan, seen, arrivals }: Call): string[] {
  const [line] = lines;
  const [least, most] = plan.lines === 'at most 1' ? [0, 1] : [plan.lines, plan.lines];
  if (lines.length > most || lines.length < least) return [`it has ${lines.length} log lines`];
  if (!line || (seen?.ending !== 'complete' && seen?.ending !== 'cut')) return [];
  const { status, bytes_out: bytesOut, ending } = line;
  const { kind = 'whole' } = arrivals.at(-1)?.promised ?? {};
  const isBroken = kind === 'unframed' || kind === 'told';
  const endings =
    seen.ending === 'cut' ? ['interrupted'] : isBroken ? ['interrupted', 'complete'] : ['complete'];
  return [
    ...(status === seen.status ? [] : [`its line says ${String(status)}, its client saw ${seen.status}`]),
    ...(endings.includes(String(ending))
      ? []
      : [`its line says ${String(ending)}, its client saw ${seen.ending}`]),
    ...(bytesOut === seen.body.length || plan.isSlowReader === true
      ? []
      : [`its line says ${String(bytesOut)} bytes, its client got ${seen.body.length}`]),
  ];
}

function lost(problem: string): AnswerVerdict {
  return { outcome: 'lost', problem };
}
