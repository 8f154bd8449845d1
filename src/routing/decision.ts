import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import type { Route } from './route.js';
import type { RoutingSnapshot } from './routing-snapshot.js';
import type { ExclusionReason } from './why.js';

/** A model of the catalog that an alias left out. */
export interface Exclusion {
  readonly model: ModelId;
  readonly why: ExclusionReason;
}

/** Which models may answer a request, and why these. */
export class Decision {
  /**
   * @param candidates in their order; at least one. Those of an alias are the snapshot's own list, not a copy.
   * @param snapshot what was known when it was made.
   */
  constructor(
    readonly route: Route,
    readonly candidates: readonly Candidate[],
    private readonly snapshot: RoutingSnapshot,
  ) {}

  /** Who was left out, and why, in the catalog's order. Made only when asked for; whoever names models leaves out none. */
  excluded(): readonly Exclusion[] {
    if (this.route.mode !== 'alias') return [];
    const chosen = new Set(this.candidates.map(({ model }) => model));
    return this.snapshot.catalog.ids
      .filter((model) => !chosen.has(model))
      .map((model) => ({ model, why: 'no_instance' }));
  }
}
