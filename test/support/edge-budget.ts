import { apiError } from './edge.js';

export const BUDGET = 100_000;
/** More than half of the budget. */
export const LARGE = 60_000;

/** A router that holds no more than {@link BUDGET}, though one body alone may be larger. */
export const LIMITS = {
  MAX_INFLIGHT_BODY_BYTES: String(BUDGET),
  MAX_REQUEST_BYTES: String(2 * BUDGET),
};

export const OVERLOADED = apiError(503, 'overloaded');
