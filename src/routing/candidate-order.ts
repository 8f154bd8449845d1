import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';

/** Candidates in the order in which they are tried. The list itself is shared, never copied. */
export interface CandidateOrder {
  readonly candidates: readonly Candidate[];
  /** The place in the list of the one that is tried first in spite of it, or −1. */
  readonly pinnedAt: number;
}

/**
 * The recipe of the order. Each step suggests an order and keeps the set.
 *
 * @param candidates as they were decided
 */
export function candidateOrder(
  candidates: readonly Candidate[],
  pinned: ModelId | undefined,
): CandidateOrder {
  return pinnedFirst(candidates, pinned);
}

/** The last step: the model that has the client's prompt in its cache. The others keep their order. */
export function pinnedFirst(candidates: readonly Candidate[], pinned: ModelId | undefined): CandidateOrder {
  return { candidates, pinnedAt: pinned === undefined ? -1 : placeOfModel(candidates, pinned) };
}

/** @returns the place in the decided order of the candidate that is tried as the n-th, from 0 on. */
export function placeOf({ pinnedAt }: CandidateOrder, n: number): number {
  if (n === 0) return Math.max(0, pinnedAt);
  return n <= pinnedAt ? n - 1 : n;
}

/**
 * Whether the candidate that is tried as the n-th is tried because one before it in the decided order failed. A pinned one goes first
 * whatever its place, and where it fails, the first of the order is nobody's second choice.
 */
export function isSecondChoice(order: CandidateOrder, n: number): boolean {
  return n > 0 && placeOf(order, n) > 0;
}

/** @returns −1 if the model is not among them. */
export function placeOfModel(candidates: readonly { readonly model: ModelId }[], model: ModelId): number {
  for (let at = 0; at < candidates.length; at += 1) if (candidates[at]?.model === model) return at;
  return -1;
}
