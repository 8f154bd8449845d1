import type { Stall } from '../support/stall-watch.ts';

/** When a process that answers need stood still: the router, or this one with its clients and its upstream. */
export class Stalls {
  readonly #all: Stall[] = [];

  add(stall: Stall): void {
    this.#all.push(stall);
  }

  get longestMs(): number {
    return this.#all.reduce((longest, { fromMs, toMs }) => Math.max(longest, toMs - fromMs), 0);
  }

  /** For how long one of them, or several at once, stood still between these two moments. */
  within({ fromMs, toMs }: Stall): number {
    const touching = this.#all.filter((stall) => stall.toMs > fromMs && stall.fromMs < toMs);
    let total = 0;
    let untilMs = fromMs;
    for (const stall of touching.toSorted((one, other) => one.fromMs - other.fromMs)) {
      const endMs = Math.min(stall.toMs, toMs);
      total += Math.max(0, endMs - Math.max(stall.fromMs, untilMs));
      untilMs = Math.max(untilMs, endMs);
    }
    return total;
  }
}
