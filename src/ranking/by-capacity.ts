import { ascending, descending, inTurn } from './comparing.js';
import type { RankedModel } from './ranked-model.js';
import type { ScoredRow } from './score.js';

const byRow = inTurn<ScoredRow>(
  descending(({ score }) => score),
  descending(({ activeInstances }) => activeInstances),
  ascending(({ utilization }) => utilization),
  ascending(({ rateLimitRatio }) => rateLimitRatio),
  (a, b) => (a.name === b.name ? 0 : a.name < b.name ? -1 : 1),
);

/** The most free capacity first; models of which it is not known keep their order. */
export function byCapacity({ capacity: a }: RankedModel, { capacity: b }: RankedModel): number {
  return a && b ? byRow(a, b) : 0;
}
