import type { LogLine } from '../support/router.ts';
import { Call, type CallPlan, type Seen } from './call.ts';
import { judge, type Limits } from './judge.ts';
import { Tally } from './tally.ts';

/** Every request from its beginning until it has been judged. */
export class Ledger {
  readonly tally = new Tally();
  readonly #limits: Limits;
  readonly #running = new Map<string, Call>();
  readonly #judged = new Set<string>();
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
    this.#judged.add(call.id);
    const { outcome, problems, attempts, isLate } = judge(call, this.#limits);
    if (isLate) this.tally.late += 1;
    this.tally.add(this.tally.outcomes, outcome);
    if (attempts) this.tally.addAttempts(attempts);
    for (const problem of problems) {
      this.tally.problems.push(`${call.id} (${call.kind}): ${problem}; upstream: ${historyOf(call)}`);
    }
  }
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
