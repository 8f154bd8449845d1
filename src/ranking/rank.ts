import type { ModelId, ModelList } from '../catalog/model-list.js';
import type { UtilizationRow } from '../catalog/utilization-feed.js';
import { scoreOf, type ScoredRow } from './score.js';

const PRIVATE_NAME = '[private chute]';
const CONFIDENTIAL_SUFFIX = '-TEE';

/**
 * The eligible models, best first. The same input gives the same order, whatever the order of the rows.
 *
 * @param rows the utilization as last loaded; while there is none, the model list serves in its own order.
 * @param list the model list as last loaded; while there is none, only confidential models are eligible.
 */
export function rank(
  rows: readonly UtilizationRow[] | undefined,
  list: ModelList | undefined,
): readonly ModelId[] {
  if (!rows) return list?.ids ?? [];
  const names = rows
    .filter((row) => isEligible(row, list))
    .map(scoreOf)
    .toSorted(byPreference)
    .map(({ name }) => name as ModelId);
  return [...new Set(names)];
}

function isEligible(
  { name, active_instance_count: active }: UtilizationRow,
  list: ModelList | undefined,
): boolean {
  if (name === PRIVATE_NAME || active === null || active <= 0) return false;
  return list ? list.byId.has(name) : name.endsWith(CONFIDENTIAL_SUFFIX);
}

function byPreference(a: ScoredRow, b: ScoredRow): number {
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
