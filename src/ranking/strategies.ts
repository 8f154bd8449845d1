import type { AliasPolicy, Sort } from '../config/alias-policy.js';
import { byCapacity } from './by-capacity.js';
import { ascending, type Comparator, descending, inTurn } from './comparing.js';
import type { RankedModel } from './ranked-model.js';

/** Which of two models goes first. Pure, and an order of all of them: the same input, the same order. */
export type Strategy = Comparator<RankedModel>;

/** With less than this there is no room for another request. */
const FREE_CAPACITY = 0.001;

/** Models with free capacity before those without: the fastest model is not fast while it is full. */
const byRoom: Strategy = ascending(({ capacity }) => (capacity && capacity.score < FREE_CAPACITY ? 1 : 0));

/** Every order there is, by the word that stands for it. */
export const STRATEGIES = {
  capacity: byCapacity,
  latency: inTurn(
    byRoom,
    ascending(({ ttftS }) => ttftS),
    byCapacity,
  ),
  throughput: inTurn(
    byRoom,
    descending(({ tps }) => tps),
    byCapacity,
  ),
  price: inTurn(
    byRoom,
    ascending(({ price }) => price),
    byCapacity,
  ),
  listed: inTurn(
    ascending(({ place }) => place),
    byCapacity,
  ),
} as const satisfies Readonly<Record<Sort, Strategy>>;

/** The order that an alias's policy asks for: what it wishes for comes before its sort. */
export function strategyOf(policy: Readonly<AliasPolicy>): Strategy {
  const { sort } = policy;
  return hasWishes(policy)
    ? inTurn(
        ascending((model) => wishClass(policy, model)),
        STRATEGIES[sort],
      )
    : STRATEGIES[sort];
}

/** Whether an alias's order can change with what the router measures. */
export function looksAtFirstTokens({ sort, max_ttft_s: maxTtftS }: Readonly<AliasPolicy>): boolean {
  return sort === 'latency' || maxTtftS !== undefined;
}

/** How a model stands to what an alias wishes for: those with a smaller figure come first. */
export function wishClass(
  { max_ttft_s: maxTtftS, min_tps: minTps }: Readonly<AliasPolicy>,
  { ttftS, tps }: RankedModel,
): number {
  return Math.max(
    maxTtftS === undefined ? Wish.Met : wish(ttftS, (known) => known <= maxTtftS),
    minTps === undefined ? Wish.Met : wish(tps, (known) => known >= minTps),
  );
}

function hasWishes({ max_ttft_s: maxTtftS, min_tps: minTps }: Readonly<AliasPolicy>): boolean {
  return maxTtftS !== undefined || minTps !== undefined;
}

/** In the order in which they come. */
const Wish = { Met: 0, Unknown: 1, Unmet: 2 } as const;

function wish(figure: number | undefined, isMet: (known: number) => boolean): number {
  if (figure === undefined) return Wish.Unknown;
  return isMet(figure) ? Wish.Met : Wish.Unmet;
}
