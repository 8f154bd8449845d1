import type { Advice } from '../../src/routing/candidate-order.js';

/** Nothing speaks for another order than the decided one. */
export const NO_ADVICE: Advice = { isCooling: undefined, avoided: undefined, pinned: undefined };
