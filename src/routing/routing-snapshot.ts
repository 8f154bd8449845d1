import { EMPTY_MODEL_LIST, type ModelList } from '../catalog/model-list.js';
import type { AliasPolicy } from '../config/alias-policy.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import type { AliasRef } from './alias-book.js';
import { Pool } from './pool.js';

/** All that routing reads of the world. Replaced as a whole when a feed changes; what it says never changes. */
export class RoutingSnapshot {
  private readonly pools = new Map<AliasPolicy, Pool>();
  private readonly idle: number;

  /**
   * @param eligible in no order
   * @param catalog empty while no model list has been loaded
   * @param aliases whose pools are made now; those of variants are made when they are asked for
   */
  constructor(
    readonly eligible: readonly RankedModel[],
    readonly catalog: ModelList,
    aliases: readonly AliasRef[],
  ) {
    const running = new Set(eligible.map(({ id }) => id));
    this.idle = catalog.ids.filter((id) => !running.has(id)).length;
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
}

export const EMPTY_SNAPSHOT = new RoutingSnapshot([], EMPTY_MODEL_LIST, []);
