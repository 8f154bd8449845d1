import type { Random } from '../support/random.ts';
import type { Agenda, Timed } from './agenda.ts';
import { BACKGROUND, MODEL } from './assumptions.ts';
import type { Admission, Caller, Outage, Sickness } from './caller.ts';
import { exponential } from './distributions.ts';
import type { ModelFacts } from './fleet.ts';
import { History } from './history.ts';

/** A model's pool of slots with its queue, our requests in it one by one, those of all others by their number. */
export class SimulatedModel implements Timed {
  generation = 0;
  readonly id: string;
  readonly history: History;
  instances: number;
  outage: Outage | undefined;
  /** Whether the feed has it. */
  isListed = true;
  /** First tokens take so many times as long. */
  slowness = 1;
  /** Slots that are taken. */
  busy: number;

  /** Of the taken ones, others'. Their service times are exponential, so that their number is all there is to know. */
  #others: number;
  readonly #serviceMs: number;
  #arrivalMs = Infinity;
  /** `null` stands for one of the others. */
  readonly #queue: (Caller | null)[] = [];
  readonly #running: Caller[] = [];

  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly startable: number;

  constructor(facts: ModelFacts, agenda: Agenda, random: Random) {
    const { id, instances, startable, use, requestsPerMinute } = facts;
    this.id = id;
    this.instances = instances;
    this.startable = startable;
    this.history = new History(facts);
    this.#agenda = agenda;
    this.#random = random;
    this.busy = Math.min(this.slots, Math.round(use.m5 * this.slots));
    this.#others = this.busy;
    // Little's law: as many are under way as come while one is served.
    const servedMs = requestsPerMinute === 0 ? 0 : (use.m5 * this.slots * 60_000) / requestsPerMinute;
    this.#serviceMs = Math.max(BACKGROUND.leastServiceMs, servedMs);
  }

  get slots(): number {
    return this.instances * MODEL.slotsPerInstance;
  }

  get use(): number {
    return this.busy / this.slots;
  }

  /** So many of others in a millisecond are more than it can serve. */
  get rushPerMs(): number {
    return (BACKGROUND.rush * this.slots) / this.#serviceMs;
  }

  get isFull(): boolean {
    return this.busy >= this.slots && this.#queue.length >= this.queueLength;
  }

  get queueLength(): number {
    return Math.floor(MODEL.queueShare * this.slots);
  }

  /** How long a newcomer waits for its slot, if all others are as the others are. */
  get expectedWaitMs(): number {
    return this.busy < this.slots ? 0 : ((this.#queue.length + 1) * this.#serviceMs) / this.slots;
  }

  /** Ours that have a slot. */
  get running(): readonly Caller[] {
    return this.#running;
  }

  admit(caller: Caller, nowMs: number): Admission {
    this.history.sawRequest();
    const sickness = this.outage && this.#meets(this.outage);
    if (sickness) return sickness;
    if (this.busy < this.slots) {
      this.#take(nowMs, caller);
      return 'started';
    }
    return this.#wait(caller) ? 'queued' : 'full';
  }

  /** A caller of ours that had a slot is gone. */
  release(caller: Caller, nowMs: number): void {
    const last = this.#running.pop() as Caller;
    if (last !== caller) {
      this.#running[caller.place] = last;
      last.place = caller.place;
    }
    this.#free(nowMs);
  }

  /** A caller of ours that waited for a slot is gone. */
  leaveQueue(caller: Caller): void {
    this.#queue.splice(this.#queue.indexOf(caller), 1);
  }

  /** @param perMs how many requests of others come in a millisecond from now on */
  setBackground(perMs: number): void {
    this.#arrivalMs = perMs > 0 ? 1 / perMs : Infinity;
    this.#plan();
  }

  /** @param by 1 or −1. With an instance goes what runs on it. */
  scale(by: number, nowMs: number): void {
    this.#count(nowMs);
    const lost = by < 0 ? 1 / this.instances : 0;
    this.instances += by;
    const broken = this.#running.filter(() => this.#random.chance(lost));
    const gone = Math.round(lost * this.#others);
    this.#others -= gone;
    this.busy -= gone;
    for (const caller of broken) caller.onCut(nowMs);
    while (this.busy < this.slots && this.#pull(nowMs));
    this.#plan();
  }

  /** From now on it fails. What runs stalls, breaks or goes on. */
  fail(outage: Outage, nowMs: number): void {
    this.outage = outage;
    const running = [...this.#running];
    if (outage.kind === 'hang') for (const caller of running) caller.onStall(nowMs);
    if (outage.kind === 'reset') for (const caller of running) caller.onCut(nowMs);
  }

  recover(nowMs: number): void {
    this.outage = undefined;
    while (this.busy < this.slots && this.#pull(nowMs));
    this.#plan();
  }

  /** Ends a minute of its history. */
  closeMinute(nowMs: number): void {
    this.#count(nowMs);
    this.history.closeMinute();
  }

  /** The next of the others comes or goes. */
  onTime(nowMs: number): void {
    const comes = 1 / this.#arrivalMs;
    const goes = this.#others / this.#serviceMs;
    if (this.#random.next() * (comes + goes) < comes) this.#admitOther(nowMs);
    else {
      this.#others -= 1;
      this.#free(nowMs);
    }
    this.#plan();
  }

  #admitOther(nowMs: number): void {
    this.history.sawRequest();
    // Whom an outage meets takes no slot: a model that fails looks ever freer.
    if (this.outage && this.#meets(this.outage)) return;
    if (this.busy < this.slots) this.#take(nowMs, null);
    else this.#wait(null);
  }

  #meets({ kind, sickness }: Outage): Sickness | undefined {
    return kind !== 'sick' || this.#random.chance(1 / this.instances) ? sickness : undefined;
  }

  /** @returns whether there was room in the queue */
  #wait(caller: Caller | null): boolean {
    if (this.#queue.length >= this.queueLength) {
      this.history.sawRefusal();
      return false;
    }
    this.#queue.push(caller);
    return true;
  }

  #take(nowMs: number, caller: Caller | null): void {
    this.#count(nowMs);
    this.busy += 1;
    if (caller) {
      caller.place = this.#running.length;
      this.#running.push(caller);
    } else this.#others += 1;
  }

  #free(nowMs: number): void {
    this.#count(nowMs);
    this.busy -= 1;
    if (this.busy < this.slots && this.#pull(nowMs)) this.#plan();
  }

  /** The next one that waits gets a slot. */
  #pull(nowMs: number): boolean {
    if (this.outage && this.outage.kind !== 'sick') return false;
    const next = this.#queue.shift();
    if (next === undefined) return false;
    this.#take(nowMs, next);
    next?.onSlot(nowMs);
    return true;
  }

  /** Without memory, what is to come may be drawn anew at any time. */
  #plan(): void {
    this.generation += 1;
    const rate = 1 / this.#arrivalMs + this.#others / this.#serviceMs;
    if (rate > 0) this.#agenda.add(this.#agenda.nowMs + exponential(this.#random, 1 / rate), this);
  }

  #count(nowMs: number): void {
    this.history.sawUse(nowMs, this.busy, this.slots);
  }
}
