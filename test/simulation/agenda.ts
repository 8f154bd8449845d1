/** Something that has one thing at most to happen to it. */
export interface Timed {
  /** Counted up when what was planned is off: what is on the agenda for an earlier one does not happen. */
  generation: number;
  /** The time for which it was put on the agenda has come. */
  onTime(nowMs: number): void;
}

/** What happens when, by a clock that only the next event moves. A binary heap; the same calls give the same run. */
export class Agenda {
  nowMs = 0;
  /** How many events have happened. */
  events = 0;

  readonly #times: number[] = [];
  readonly #targets: Timed[] = [];
  readonly #generations: number[] = [];

  /** @param atMs not in the past */
  add(atMs: number, target: Timed): void {
    let at = this.#times.length;
    this.#times.push(atMs);
    this.#targets.push(target);
    this.#generations.push(target.generation);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= atMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, atMs, target, target.generation);
  }

  /** Lets happen all that is due before this moment. */
  runUntil(untilMs: number): void {
    while (this.#times.length > 0 && (this.#times[0] as number) < untilMs) this.#next();
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #next(): void {
    const atMs = this.#times[0] as number;
    const target = this.#targets[0] as Timed;
    const isOff = this.#generations[0] !== target.generation;
    this.#shift();
    if (isOff) return;
    this.nowMs = atMs;
    this.events += 1;
    target.onTime(atMs);
  }

  #shift(): void {
    const lastMs = this.#times.pop() as number;
    const last = this.#targets.pop() as Timed;
    const generation = this.#generations.pop() as number;
    const size = this.#times.length;
    if (size === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (this.#times[child + 1] as number) < (this.#times[child] as number)) child += 1;
      if ((this.#times[child] as number) >= lastMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, lastMs, last, generation);
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#times[from] as number,
      this.#targets[from] as Timed,
      this.#generations[from] as number,
    );
  }

  #put(at: number, atMs: number, target: Timed, generation: number): void {
    this.#times[at] = atMs;
    this.#targets[at] = target;
    this.#generations[at] = generation;
  }
}
