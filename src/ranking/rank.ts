import type { ModelList } from '../catalog/model-list.js';
import type { UtilizationRow } from '../catalog/utilization-feed.js';
import { eligibleModels } from './eligible.js';
import type { RankedModel } from './ranked-model.js';
import type { Sort } from '../config/alias-policy.js';
import { STRATEGIES } from './strategies.js';

/** The eligible models, best first. The same input gives the same order, whatever the order of the rows. */
export function rank(
  rows: readonly UtilizationRow[] | undefined,
  list: ModelList | undefined,
  strategy: Sort = 'capacity',
): readonly RankedModel[] {
  return eligibleModels(rows, list).toSorted(STRATEGIES[strategy]);
}
