import type { ModelFacts } from './fleet.ts';

const HOUR = 60;

/** What a model's last hour was like, minute by minute: what the feed's averages are made of. */
export class History {
  readonly #use: number[];
  readonly #requests: number[];
  readonly #refused: number[];
  #seenUntilMs = 0;
  #busyMs = 0;
  #slotMs = 0;
  #newRequests = 0;
  #newRefused = 0;

  /** The hour before the simulation is that of the capture. */
  constructor({ use, refused, requestsPerMinute }: ModelFacts) {
    this.#use = minutesWith(use.m5, use.m15, use.h1);
    this.#requests = Array.from({ length: HOUR }, () => requestsPerMinute);
    this.#refused = minutesWith(refused.m5, refused.m15, refused.h1).map(
      (share) => share * requestsPerMinute,
    );
  }

  /** So many slots were taken from the time before up to now. */
  sawUse(nowMs: number, busy: number, slots: number): void {
    const ms = nowMs - this.#seenUntilMs;
    this.#busyMs += ms * busy;
    this.#slotMs += ms * slots;
    this.#seenUntilMs = nowMs;
  }

  sawRequest(): void {
    this.#newRequests += 1;
  }

  sawRefusal(): void {
    this.#newRefused += 1;
  }

  /** A minute is over, or whatever time has passed. */
  closeMinute(): void {
    put(this.#use, this.#slotMs === 0 ? 0 : this.#busyMs / this.#slotMs);
    put(this.#requests, this.#newRequests);
    put(this.#refused, this.#newRefused);
    this.#busyMs = this.#slotMs = this.#newRequests = this.#newRefused = 0;
  }

  use(minutes: number): number {
    return sumOfLast(this.#use, minutes) / minutes;
  }

  /** Which part of the requests was refused. */
  refusedShare(minutes: number): number {
    const requests = sumOfLast(this.#requests, minutes);
    return requests === 0 ? 0 : sumOfLast(this.#refused, minutes) / requests;
  }
}

/** Sixty values, the newest last, with these averages over the last 5, 15 and 60. */
function minutesWith(m5: number, m15: number, h1: number): number[] {
  const before = Math.max(0, (15 * m15 - 5 * m5) / 10);
  const longBefore = Math.max(0, (60 * h1 - 15 * m15) / 45);
  return Array.from({ length: HOUR }, (_, minute) => (minute < 45 ? longBefore : minute < 55 ? before : m5));
}

function put(list: number[], value: number): void {
  list.shift();
  list.push(value);
}

function sumOfLast(list: readonly number[], count: number): number {
  let sum = 0;
  for (let at = list.length - count; at < list.length; at += 1) sum += list[at] as number;
  return sum;
}
