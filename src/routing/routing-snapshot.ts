import type { ModelList } from '../catalog/model-list.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import type { Candidate } from './candidate.js';

/** All that routing reads of the world. Immutable; replaced as a whole. */
export interface RoutingSnapshot {
  /** The alias's candidates, best first. */
  readonly ranked: readonly Candidate[];
  /** Empty while no model list has been loaded. */
  readonly catalog: ModelList;
}

export function routingSnapshot(ranked: readonly RankedModel[], catalog: ModelList): RoutingSnapshot {
  return { ranked: ranked.map((model) => ({ model: model.id, why: 'ranked', ranked: model })), catalog };
}
