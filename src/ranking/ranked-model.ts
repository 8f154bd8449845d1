import type { Abilities } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import type { ScoredRow } from './score.js';

/** A model that an alias may choose, with what it is ordered by. What is not known is `undefined`. */
export interface RankedModel {
  readonly id: ModelId;
  /** `undefined` while no utilization has been loaded. */
  readonly capacity: ScoredRow | undefined;
  /** What the catalog says of it. */
  readonly abilities: Abilities;
  /** Seconds to the first token. */
  readonly ttftS?: number | undefined;
  /** Tokens per second, after the first. */
  readonly tps?: number | undefined;
  /** USD per million tokens, of which three are read for each that is written. */
  readonly price?: number | undefined;
  /** Which of the alias's patterns gives it. */
  readonly place?: number;
}
