import type { Random } from '../support/random.ts';

/** Mean 1 / rate. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** @param mean at least 1, which is the least number, too */
export function geometric(random: Random, mean: number): number {
  return mean <= 1 ? 1 : 1 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - 1 / mean));
}
