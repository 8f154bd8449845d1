import type { ModelList } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import { type CandidateOrder, placeOf } from './candidate-order.js';
import { catalogIdOf } from './model-name.js';

/**
 * Who is tried next with a request that is too long for the candidate that was tried as the n-th: the first one behind it whose
 * context is known to be larger.
 *
 * @param n from 0 on
 * @returns as which it is tried; `undefined` where there is none, or where its own context is not known.
 */
export function largerContext(order: CandidateOrder, n: number, catalog: ModelList): number | undefined {
  const { candidates } = order;
  const tooSmall = contextOf(candidates[placeOf(order, n)], catalog);
  if (tooSmall === undefined) return undefined;
  for (let next = n + 1; next < candidates.length; next += 1) {
    if ((contextOf(candidates[placeOf(order, next)], catalog) ?? 0) > tooSmall) return next;
  }
  return undefined;
}

/** In tokens. */
function contextOf(candidate: Candidate | undefined, catalog: ModelList): number | undefined {
  if (!candidate) return undefined;
  const { model, ranked } = candidate;
  const abilities = ranked?.abilities ?? catalog.byId.get(catalogIdOf(model, catalog) ?? '')?.abilities;
  return abilities?.contextTokens;
}
