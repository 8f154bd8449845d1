import type { ModelId } from '../catalog/model-list.js';

/** Candidates with the pinned one, if any, tried first; the others keep their order. The list itself is shared, never copied. */
export interface CandidateOrder {
  readonly candidates: readonly ModelId[];
  /** The pinned candidate's place in the list, or −1. */
  readonly pinnedAt: number;
}

export function pinnedFirst(candidates: readonly ModelId[], pinned: ModelId | undefined): CandidateOrder {
  return { candidates, pinnedAt: pinned === undefined ? -1 : candidates.indexOf(pinned) };
}

/** @returns the place in the client's own order of the candidate that is tried as the n-th, from 0 on. */
export function placeOf({ pinnedAt }: CandidateOrder, n: number): number {
  if (n === 0) return Math.max(0, pinnedAt);
  return n <= pinnedAt ? n - 1 : n;
}
