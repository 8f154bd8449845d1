import type { RequestNeeds } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import type { Candidate } from './candidate.js';
import type { Candidates } from './candidates.js';
import type { Choice, Exclusion } from './pool.js';
import type { Route } from './route.js';
import type { RoutingSnapshot } from './routing-snapshot.js';

/** Which models may answer a request, and why these. */
export class Decision {
  /** In their order; at least one. Those of an alias that spreads no clients are the pool's own list, not a copy. */
  readonly candidates: readonly Candidate[];
  /** How many models of an alias, or items of a list, what reason left out. */
  readonly left: Choice['left'];
  /** As `left`, with all models of the catalog that an alias has no choice of. */
  readonly excludedCounts: Choice['excludedCounts'];
  private readonly named: readonly Exclusion[];

  /**
   * @param asked what the request needs
   * @param counted what of it counted
   * @param snapshot what was known when it was made.
   */
  constructor(
    readonly route: Route,
    readonly asked: RequestNeeds,
    private readonly counted: RequestNeeds,
    { candidates, left, excludedCounts, excluded }: Candidates,
    private readonly snapshot: RoutingSnapshot,
  ) {
    this.candidates = candidates;
    this.left = left;
    this.excludedCounts = excludedCounts;
    this.named = excluded;
  }

  /** What a candidate is known to be like, if it runs. */
  figuresOf(model: ModelId): RankedModel | undefined {
    return this.snapshot.figuresOf(model);
  }

  /**
   * Who was left out, and why: by an alias the models of the catalog, in its order; of a list the items; who names one model
   * leaves out none. Made only when asked for.
   */
  excluded(): readonly Exclusion[] {
    if (this.route.mode !== 'alias') return this.named;
    return this.snapshot.poolOf(this.route.alias).excluded(this.counted, this.snapshot.catalog);
  }
}
