import type { Agenda, Timed } from './agenda.ts';
import { FAILURE, MODEL } from './assumptions.ts';
import type { Caller } from './caller.ts';
import type { Outcome, Plan } from './chooser.ts';
import type { SimulatedModel } from './simulated-model.ts';

/** A request of a client's, and what is told to the client of it: one first token at most, one end. */
export interface Request {
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Chance, as it falls for this request: the factor of its first token. */
  readonly luck: number;
  /** Tokens that a model has to read. */
  freshTokens(model: string): number;
  onAttempt(model: string): void;
  onFirstToken(model: string, nowMs: number): void;
  onEnd(isWhole: boolean, nowMs: number): void;
}

/** `UPSTREAM_IDLE_TIMEOUT_MS` */
const IDLE_TIMEOUT_MS = 300_000;

type Step = 'first token' | 'end' | 'stalled' | 'timeout' | 'full' | 'unavailable' | 'error' | 'reset';

const FAILED: Readonly<Record<'timeout' | 'full' | 'unavailable' | 'error' | 'reset', Outcome>> = {
  timeout: { kind: 'failed', reason: 'upstream_header_timeout' },
  full: { kind: 'opened', status: 429, headers: [], refusal: 'capacity' },
  unavailable: { kind: 'opened', status: 503, headers: [] },
  error: { kind: 'opened', status: 500, headers: [], refusal: 'model' },
  reset: { kind: 'failed', reason: 'upstream_reset' },
};

/** One request's way through the router: its attempts, one after the other, until one is the answer. */
export class Walk implements Timed, Caller {
  generation = 0;
  place = -1;

  readonly #agenda: Agenda;
  readonly #models: ReadonlyMap<string, SimulatedModel>;
  readonly #request: Request;
  readonly #plan: Plan;
  #n = 0;
  #model: SimulatedModel;
  #beganAtMs = 0;
  #deadlineMs = 0;
  #step: Step = 'timeout';
  #isQueued = false;
  #hasSlot = false;
  /** Whether its first token has come. */
  #hasBegun = false;
  #writeMs = 0;

  constructor(agenda: Agenda, models: ReadonlyMap<string, SimulatedModel>, request: Request, plan: Plan) {
    this.#agenda = agenda;
    this.#models = models;
    this.#request = request;
    this.#plan = plan;
    this.#model = this.#attempt();
  }

  onSlot(nowMs: number): void {
    this.#isQueued = false;
    this.#serve(nowMs);
  }

  onCut(nowMs: number): void {
    this.generation += 1;
    this.#leave(nowMs);
    if (this.#hasBegun) this.#end(false, nowMs);
    else this.#judge('reset', nowMs);
  }

  onStall(nowMs: number): void {
    if (this.#step === 'end') this.#next('stalled', nowMs + IDLE_TIMEOUT_MS);
    else this.#next('timeout', this.#deadlineMs);
  }

  onTime(nowMs: number): void {
    switch (this.#step) {
      case 'first token':
        this.#hasBegun = true;
        this.#plan.onFirstToken(this.#n, this.#beganAtMs, nowMs);
        this.#request.onFirstToken(this.#model.id, nowMs);
        this.#next('end', nowMs + this.#writeMs);
        break;
      case 'end':
      case 'stalled':
        this.#leave(nowMs);
        this.#end(this.#step === 'end', nowMs);
        break;
      default:
        this.#leave(nowMs);
        this.#judge(this.#step, nowMs);
    }
  }

  #attempt(): SimulatedModel {
    const { nowMs } = this.#agenda;
    const id = this.#plan.modelAt(this.#n, nowMs);
    this.#model = this.#models.get(id) as SimulatedModel;
    this.#request.onAttempt(id);
    this.#beganAtMs = nowMs;
    this.#deadlineMs = nowMs + this.#plan.patienceMs(this.#n, nowMs);
    const admission = this.#model.admit(this, nowMs);
    switch (admission) {
      case 'started':
        this.#serve(nowMs);
        break;
      case 'queued':
        this.#isQueued = true;
        this.#next('timeout', this.#deadlineMs);
        break;
      case 'hang':
        this.#next('timeout', this.#deadlineMs);
        break;
      case 'full':
        this.#next(admission, nowMs + FAILURE.capacityMs);
        break;
      case 'reset':
        this.#next(admission, nowMs + FAILURE.resetMs);
        break;
      case 'unavailable':
      case 'error':
        this.#next(admission, nowMs + FAILURE.refusalMs);
        break;
    }
    return this.#model;
  }

  #serve(nowMs: number): void {
    this.#hasSlot = true;
    const model = this.#model;
    const fresh = this.#request.freshTokens(model.id);
    const untilTokenMs = this.#request.luck * firstTokenMs(model, fresh);
    this.#writeMs = (this.#request.answerTokens / MODEL.writtenPerMs) * (1 + model.use);
    const atMs = nowMs + untilTokenMs;
    if (atMs <= this.#deadlineMs) this.#next('first token', atMs);
    else this.#next('timeout', this.#deadlineMs);
  }

  #next(step: Step, atMs: number): void {
    this.generation += 1;
    this.#step = step;
    this.#agenda.add(atMs, this);
  }

  #leave(nowMs: number): void {
    if (this.#isQueued) {
      this.#isQueued = false;
      this.#model.leaveQueue(this);
    }
    if (!this.#hasSlot) return;
    this.#hasSlot = false;
    this.#model.release(this, nowMs);
  }

  #end(isWhole: boolean, nowMs: number): void {
    this.#plan.onEnded(isWhole);
    this.#request.onEnd(isWhole, nowMs);
  }

  #judge(how: keyof typeof FAILED, nowMs: number): void {
    const goesOn = this.#plan.judge(this.#n, this.#beganAtMs, FAILED[how], nowMs);
    if (!goesOn) return this.#request.onEnd(false, nowMs);
    this.#n += 1;
    this.#attempt();
  }
}

/** How long a request takes to its first token on average of luck, once it has its slot. */
export function firstTokenMs({ use, slowness }: SimulatedModel, freshTokens: number): number {
  const crowded = 1 / (1 - MODEL.crowding * Math.min(1, use) ** 2);
  return (MODEL.firstTokenMs + freshTokens / MODEL.readPerMs) * crowded * slowness;
}
