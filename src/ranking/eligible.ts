import { type Price, UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelId, ModelList } from '../catalog/model-list.js';
import { NO_STATISTICS, type Statistics } from '../catalog/statistics.js';
import type { UtilizationRow } from '../catalog/utilization-feed.js';
import { byCapacity } from './by-capacity.js';
import type { RankedModel } from './ranked-model.js';
import { type ScoredRow, scoreOf } from './score.js';

const PRIVATE_NAME = '[private chute]';
const CONFIDENTIAL_SUFFIX = '-TEE';

/** What is known of how fast models are. */
export interface Speeds {
  readonly statistics: Statistics;
  /** Seconds to the first token as the router itself measured them: they go before the statistics'. */
  readonly medianS: (model: ModelId) => number | undefined;
}

const UNKNOWN_SPEEDS: Speeds = { statistics: NO_STATISTICS, medianS: () => undefined };

/**
 * The models that run and are known, in no order that means anything. Of rows with one name the better ranked counts.
 *
 * @param rows the utilization as last loaded; while there is none, the models of the list serve, in its order.
 * @param list the model list as last loaded; while there is none, only confidential models are eligible.
 */
export function eligibleModels(
  rows: readonly UtilizationRow[] | undefined,
  list: ModelList | undefined,
  speeds = UNKNOWN_SPEEDS,
): readonly RankedModel[] {
  const chutes = new Set(list?.models.map(({ chuteId }) => chuteId));
  const ranked = (id: ModelId, capacity: ScoredRow | undefined) =>
    rankedModel(id, capacity, list, chutes, speeds);
  if (!rows) return list?.ids.map((id) => ranked(id, undefined)) ?? [];
  const best = new Map<ModelId, RankedModel>();
  for (const row of rows) {
    if (!isEligible(row, list)) continue;
    const model = ranked(row.name as ModelId, scoreOf(row));
    const known = best.get(model.id);
    if (!known || byCapacity(model, known) < 0) best.set(model.id, model);
  }
  return [...best.values()];
}

function rankedModel(
  id: ModelId,
  capacity: ScoredRow | undefined,
  list: ModelList | undefined,
  chutes: ReadonlySet<string | undefined>,
  { statistics, medianS }: Speeds,
): RankedModel {
  const { abilities = UNKNOWN_ABILITIES, chuteId } = list?.byId.get(id) ?? {};
  const { ttftS, tps } = statistics.figuresOf(id, chuteId, (other) => chutes.has(other));
  return {
    id,
    capacity,
    abilities,
    ttftS: medianS(id) ?? ttftS,
    tps,
    price: abilities.price && blendedPrice(abilities.price),
  };
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
