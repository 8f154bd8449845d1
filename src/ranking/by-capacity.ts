import type { RankedModel } from './ranked-model.js';

/** The most free capacity first; models of which it is not known keep their order. */
export function byCapacity({ capacity: a }: RankedModel, { capacity: b }: RankedModel): number {
  if (!a || !b) return 0;
  return (
    descending(a.score, b.score) ||
    descending(a.activeInstances, b.activeInstances) ||
    descending(b.utilization, a.utilization) ||
    descending(b.rateLimitRatio, a.rateLimitRatio) ||
    byCodeUnits(a.name, b.name)
  );
}

/** Compares instead of subtracting: two infinite scores would give NaN. */
function descending(a: number, b: number): number {
  return a === b ? 0 : a > b ? -1 : 1;
}

function byCodeUnits(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
