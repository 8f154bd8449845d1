import type { ModelId } from '../catalog/model-list.js';
import type { ScoredRow } from './score.js';

/** A model that the alias may choose, with what it is ordered by. */
export interface RankedModel {
  readonly id: ModelId;
  /** `undefined` while no utilization has been loaded. */
  readonly capacity: ScoredRow | undefined;
}
