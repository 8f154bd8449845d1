import { type Abilities, UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelList } from '../catalog/model-list.js';
import type { UtilizationRow } from '../catalog/utilization-feed.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import { scoreOf } from '../ranking/score.js';
import type { Candidate } from '../routing/candidate.js';
import type { Exclusion } from '../routing/pool.js';
import { coolingLast } from '../routing/candidate-order.js';
import type { Cooldown } from '../routing/cooldown.js';
import type { History } from './model-history.js';

/** What is known of all models, and what an alias makes of it. */
export interface ModelsFacts {
  /** In their order. */
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly Exclusion[];
  readonly eligible: readonly RankedModel[];
  readonly catalog: ModelList;
  readonly rows: readonly UtilizationRow[];
  readonly historyOf: (id: string) => History;
  /** Seconds to the first token as the router itself has measured them. */
  readonly measuredTtftS: (id: string) => number | undefined;
  readonly cooldownOf: (id: string) => Cooldown | undefined;
  readonly nowMs: number;
}

/** The models of the catalog, those that an alias chooses from first and in its order, then the others in the catalog's. */
export function modelDocuments(facts: ModelsFacts): readonly object[] {
  const { excluded, eligible, catalog, historyOf } = facts;
  const candidates = coolingLast(facts.candidates, (model) => facts.cooldownOf(model) !== undefined);
  const ranked = new Map(eligible.map((model) => [model.id as string, model]));
  const rows = bestRows(facts.rows);
  const why = new Map(excluded.map((exclusion) => [exclusion.model, exclusion.why]));
  const chosen = new Set<string>(candidates.map(({ model }) => model));
  const documentOf = (id: string, place: number | null, reason: string | null): object => ({
    id,
    place,
    why: reason,
    cooldown: cooldownDocument(facts.cooldownOf(id), facts.nowMs),
    measured: { ttft_s: facts.measuredTtftS(id) ?? null },
    ...figuresOf(ranked.get(id), rows.get(id)),
    ...abilitiesOf(catalog.byId.get(id)?.abilities ?? UNKNOWN_ABILITIES),
    row: rowOf(rows.get(id)),
    history: historyOf(id),
  });
  return [
    ...candidates.map(({ model, why: itsWhy }, n) => documentOf(model, n + 1, itsWhy)),
    ...catalog.ids.filter((id) => !chosen.has(id)).map((id) => documentOf(id, null, why.get(id) ?? null)),
  ];
}

/** How busy a model is now, as rows of a feed have it: 1 at full use. */
export function utilizationOf(row: UtilizationRow): number | undefined {
  return row.utilization_current ?? row.utilization_5m ?? undefined;
}

/** Of rows with one name the better ranked. */
export function bestRows(rows: readonly UtilizationRow[]): ReadonlyMap<string, UtilizationRow> {
  const best = new Map<string, UtilizationRow>();
  for (const row of rows) {
    const known = best.get(row.name);
    if (!known || scoreOf(row).score > scoreOf(known).score) best.set(row.name, row);
  }
  return best;
}

function figuresOf(model: RankedModel | undefined, row: UtilizationRow | undefined): object {
  return {
    score: model?.capacity?.score ?? null,
    ttft_s: model?.ttftS ?? null,
    tps: model?.tps ?? null,
    price: model?.price ?? null,
    instances: row?.active_instance_count ?? null,
    utilization: (row && utilizationOf(row)) ?? null,
  };
}

function abilitiesOf(abilities: Abilities): object {
  return {
    context_length: abilities.contextTokens ?? null,
    max_output_length: abilities.maxOutputTokens ?? null,
    supported_features: abilities.features ? [...abilities.features] : null,
    input_modalities: abilities.inputModalities ? [...abilities.inputModalities] : null,
    confidential_compute: abilities.isConfidential ?? null,
    pricing: abilities.price ?? null,
  };
}

function rowOf(row: UtilizationRow | undefined): object | null {
  if (!row) return null;
  const { name: _name, ...figures } = row;
  return figures;
}

function cooldownDocument(cooldown: Cooldown | undefined, nowMs: number): object | null {
  if (!cooldown) return null;
  const { untilMs, cooldowns } = cooldown;
  return { remaining_ms: Math.max(0, Math.round(untilMs - nowMs)), cooldowns };
}
