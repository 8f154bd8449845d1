import type { LogLine } from '../support/router.ts';
import { nowMs } from '../support/stall-watch.ts';
import { Call, type CallPlan, type Seen } from './call.ts';
import { judge, type Limits } from './judge.ts';
import { Tally } from './tally.ts';

/** From so much on it can be the machine's doing that a timer fires; the shortest is 1000 ms. */
const TIMER_EXCUSE_MS = 400;
/** The contract gives a second to notice that a client has left; the rest is for what stands still too briefly to count. */
const ABORT_WITHIN_MS = 1_500;

/** Every request from its beginning until it has been judged. */
export class Ledger {
  readonly tally = new Tally();
  readonly #limits: Limits;
  readonly #running = new Map<string, Call>();
  /** With the number of attempts that had not arrived by then. */
  readonly #judged = new Map<string, number>();
  readonly #prefix: string;
  #count = 0;

  /** @param prefix of the requests' ids */
  constructor(prefix: string, limits: Limits) {
    this.#prefix = prefix;
    this.#limits = limits;
  }

  /** The requests that are not judged yet. */
  get running(): ReadonlyMap<string, Call> {
    return this.#running;
  }

  begin(kind: string, plan: CallPlan): Call {
    this.#count += 1;
    const call = new Call(`${this.#prefix}-${this.#count}`, kind, plan);
    this.#running.set(call.id, call);
    this.tally.add(this.tally.requests, kind);
    return call;
  }

  end(call: Call, seen: Seen): void {
    call.seen = seen;
    this.#judgeIfOver(call);
  }

  /** Takes a line of the router's log. */
  takeLine(line: LogLine): void {
    const { level, msg, failovers, ending } = line;
    if (level === 'error' || level === 'fatal') this.tally.problems.push(`Logged: ${JSON.stringify(line)}`);
    if (msg !== 'request') return;
    this.tally.logLines += 1;
    this.tally.failovers += (failovers as readonly string[]).length;
    if (ending === 'client_gone') this.tally.clientsGone += 1;
    const id = String(line['req_id']);
    const call = this.#running.get(id);
    if (!call) {
      const why = this.#judged.has(id) ? 'has one more' : 'was sent by nobody but has a';
      this.tally.problems.push(`${id} ${why} log line`);
      return;
    }
    call.lines.push(line);
    this.#judgeIfOver(call);
  }

  /** Takes a request that has arrived when its call was judged already: the router had given it up on the way. */
  takeStraggler(id: string, what: string): void {
    const missing = this.#judged.get(id) ?? 0;
    if (missing === 0) this.tally.problems.push(`${id}: ${what} arrived, though nobody sent it upstream.`);
    else this.#judged.set(id, missing - 1);
  }

  /** Judges what is left, when nothing more can come. */
  close(): void {
    for (const call of this.#running.values()) this.#judge(call);
    this.#judged.clear();
  }

  #judgeIfOver(call: Call): void {
    if (call.isSettled) this.#judge(call);
  }

  #judge(call: Call): void {
    this.#running.delete(call.id);
    const { outcome, problems, attempts, isLate, wentOnMs } = judge(call, this.#limits);
    this.#judged.set(call.id, attempts ? attempts.attempts - attempts.arrived : 0);
    const endMs = endOf(call);
    if (isLate) {
      this.tally.late.push({
        what: describe(call),
        fromMs: call.begunAtMs,
        toMs: endMs,
        excusedByMs: TIMER_EXCUSE_MS,
      });
    }
    if (wentOnMs > ABORT_WITHIN_MS) {
      const excusedByMs = wentOnMs - ABORT_WITHIN_MS;
      const toMs = endMs + wentOnMs;
      this.tally.late.push({ what: describe(call), fromMs: endMs, toMs, excusedByMs });
    }
    this.tally.add(this.tally.outcomes, outcome);
    if (attempts) this.tally.addAttempts(attempts);
    for (const problem of problems) this.tally.problems.push(`${describe(call)}: ${problem}`);
  }
}

function endOf({ seen }: Call): number {
  return seen ? performance.timeOrigin + seen.endedAtMs : nowMs();
}

function describe(call: Call): string {
  return `${call.id} (${call.kind}; upstream: ${historyOf(call)})`;
}

/** What its upstream did, in milliseconds before its end. */
function historyOf({ arrivals, seen }: Call): string {
  const at = (ms: number | undefined) => Math.round((ms ?? NaN) - (seen?.endedAtMs ?? NaN));
  const steps = arrivals.map(({ step, arrivedAtMs, ending, endedAtMs, carrier }) => {
    const cut = carrier.cutAtMs === undefined ? '' : `, cut ${at(carrier.cutAtMs)}`;
    return `${step} (${at(arrivedAtMs)} to ${at(endedAtMs())}, ${ending()}${cut})`;
  });
  return steps.length === 0 ? 'nothing' : steps.join(', ');
}
