import { EMPTY_MODEL_LIST, type ModelList } from '../catalog/model-list.js';
import type { AliasPolicy } from '../config/alias-policy.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import type { AliasRef } from './alias-book.js';
import { catalogIdOf } from './model-name.js';
import { looksAtFirstTokens } from '../ranking/strategies.js';
import { Pool } from './pool.js';

/** All that routing reads of the world. Replaced as a whole when a feed or a measurement changes; what it says never changes. */
export class RoutingSnapshot {
  private readonly pools = new Map<AliasPolicy, Pool>();
  private readonly idle: number;
  private byId: ReadonlyMap<string, RankedModel> | undefined;

  /**
   * @param eligible in no order
   * @param catalog empty while no model list has been loaded
   * @param aliases whose pools are made now; those of variants are made when they are asked for
   * @param before the one that this replaces, where only the seconds to first tokens differ
   */
  constructor(
    readonly eligible: readonly RankedModel[],
    readonly catalog: ModelList,
    aliases: readonly AliasRef[],
    before?: RoutingSnapshot,
  ) {
    const running = new Set(eligible.map(({ id }) => id));
    this.idle = catalog.ids.filter((id) => !running.has(id)).length;
    for (const [policy, pool] of before?.pools ?? []) {
      if (!looksAtFirstTokens(policy)) this.pools.set(policy, pool);
    }
    for (const alias of aliases) this.poolOf(alias);
  }

  poolOf({ policy }: AliasRef): Pool {
    let pool = this.pools.get(policy);
    if (!pool) {
      pool = new Pool(policy, this.eligible, this.idle);
      this.pools.set(policy, pool);
    }
    return pool;
  }

  /** What a model that runs is ordered by. */
  figuresOf(model: string): RankedModel | undefined {
    this.byId ??= new Map(this.eligible.map((ranked) => [ranked.id, ranked]));
    return this.byId.get(catalogIdOf(model, this.catalog) ?? model);
  }
}

export const EMPTY_SNAPSHOT = new RoutingSnapshot([], EMPTY_MODEL_LIST, []);
