import type { Result } from './measures.ts';

/** A figure over several seeds. */
export interface Figure {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

export type Summary = Readonly<Record<keyof Result, Figure>>;

/** @param results of one policy in one scenario, at least one */
export function summaryOf(results: readonly Result[]): Summary {
  const [first] = results;
  const keys = Object.keys(first ?? {}) as (keyof Result)[];
  return Object.fromEntries(keys.map((key) => [key, figureOf(results.map((one) => one[key]))])) as Summary;
}

function figureOf(values: readonly number[]): Figure {
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    least: Math.min(...values),
    most: Math.max(...values),
  };
}
