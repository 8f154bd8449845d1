import type { ModelId } from '../catalog/model-list.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import type { Why } from './why.js';

/** A model that may answer a request. */
export interface Candidate {
  readonly model: ModelId;
  readonly why: Why;
  /** What it was ranked by, if it was. */
  readonly ranked?: RankedModel;
}
