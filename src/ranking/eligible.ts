import { type Price, UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelId, ModelList } from '../catalog/model-list.js';
import type { UtilizationRow } from '../catalog/utilization-feed.js';
import { byCapacity } from './by-capacity.js';
import type { RankedModel } from './ranked-model.js';
import { type ScoredRow, scoreOf } from './score.js';

const PRIVATE_NAME = '[private chute]';
const CONFIDENTIAL_SUFFIX = '-TEE';

/**
 * The models that run and are known, in no order that means anything. Of rows with one name the better ranked counts.
 *
 * @param rows the utilization as last loaded; while there is none, the models of the list serve, in its order.
 * @param list the model list as last loaded; while there is none, only confidential models are eligible.
 */
export function eligibleModels(
  rows: readonly UtilizationRow[] | undefined,
  list: ModelList | undefined,
): readonly RankedModel[] {
  if (!rows) return list?.ids.map((id) => rankedModel(id, undefined, list)) ?? [];
  const best = new Map<ModelId, RankedModel>();
  for (const row of rows) {
    if (!isEligible(row, list)) continue;
    const model = rankedModel(row.name as ModelId, scoreOf(row), list);
    const known = best.get(model.id);
    if (!known || byCapacity(model, known) < 0) best.set(model.id, model);
  }
  return [...best.values()];
}

function rankedModel(id: ModelId, capacity: ScoredRow | undefined, list: ModelList | undefined): RankedModel {
  const abilities = list?.byId.get(id)?.abilities ?? UNKNOWN_ABILITIES;
  return { id, capacity, abilities, price: abilities.price && blendedPrice(abilities.price) };
}

/** Of a conversation, three tokens are read for each that is written. */
function blendedPrice({ prompt, completion }: Price): number {
  return (3 * prompt + completion) / 4;
}

function isEligible(
  { name, active_instance_count: active }: UtilizationRow,
  list: ModelList | undefined,
): boolean {
  if (name === PRIVATE_NAME || active === null || active <= 0) return false;
  return list ? list.byId.has(name) : name.endsWith(CONFIDENTIAL_SUFFIX);
}
