import { byCapacity } from './by-capacity.js';
import type { RankedModel } from './ranked-model.js';

/** Which of two models goes first, as `toSorted` asks. Pure, and an order of all of them: the same input, the same order. */
export type Strategy = (a: RankedModel, b: RankedModel) => number;

/** Every order there is, by the word that stands for it. */
export const STRATEGIES = { capacity: byCapacity } as const satisfies Readonly<Record<string, Strategy>>;

export type StrategyName = keyof typeof STRATEGIES;
