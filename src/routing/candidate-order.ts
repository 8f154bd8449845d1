import type { ModelId } from '../catalog/model-list.js';
import type { Mode } from '../request/request-record.js';
import type { Candidate } from './candidate.js';

/** Candidates in the order in which they are tried. Where no step moves one, the list itself is shared and not copied. */
export interface CandidateOrder {
  /** As they were decided. */
  readonly decided: readonly Candidate[];
  readonly candidates: readonly Candidate[];
  /** The place among these of the one that is tried first in spite of it, or −1. */
  readonly pinnedAt: number;
}

/** What speaks for another order than the decided one. */
export interface Advice {
  /** Whether a model has just failed again and again; `undefined` while none has. */
  readonly isCooling: IsCooling | undefined;
  /** The models that have told this client that they are full. */
  readonly avoided: readonly ModelId[] | undefined;
  /** The model that the client stays on. */
  readonly pinned: ModelId | undefined;
}

export type IsCooling = (model: ModelId) => boolean;

/** The recipe of the order. Each step suggests an order and keeps the set. */
export function candidateOrder(decided: readonly Candidate[], advice: Advice): CandidateOrder {
  const candidates = avoidedLast(coolingLast(decided, advice.isCooling), advice.avoided);
  return { decided, candidates, pinnedAt: pinnedFirst(candidates, advice.pinned) };
}

export function coolingLast(
  candidates: readonly Candidate[],
  isCooling: IsCooling | undefined,
): readonly Candidate[] {
  return isCooling ? movedLast(candidates, isCooling, 'cooling') : candidates;
}

export function avoidedLast(
  candidates: readonly Candidate[],
  avoided: readonly ModelId[] = [],
): readonly Candidate[] {
  return avoided.length === 0
    ? candidates
    : movedLast(candidates, (model) => avoided.includes(model), 'avoided');
}

/** The last step: the model that has the client's prompt in its cache. The others keep their order. @returns its place or −1 */
export function pinnedFirst(candidates: readonly Candidate[], pinned: ModelId | undefined): number {
  return pinned === undefined ? -1 : placeOfModel(candidates, pinned);
}

/** @returns the place of the candidate that is tried as the n-th, from 0 on. */
export function placeOf({ pinnedAt }: CandidateOrder, n: number): number {
  if (n === 0) return Math.max(0, pinnedAt);
  return n <= pinnedAt ? n - 1 : n;
}

/**
 * Whether the n-th to be tried answers in place of one that goes before it in the decided order, which is to win again when it is
 * well. In a list that is the client's own order; the order of an alias only counts where an attempt failed, since to come back
 * costs the prompt cache. Where a pinned model fails, the first of the order is nobody's second choice.
 */
export function isSecondChoice(order: CandidateOrder, n: number, mode: Mode): boolean {
  if (mode === 'alias' && n === 0) return false;
  return order.candidates[placeOf(order, n)]?.model !== order.decided[0]?.model;
}

/** @returns −1 if the model is not among them. */
export function placeOfModel(candidates: readonly { readonly model: ModelId }[], model: ModelId): number {
  for (let at = 0; at < candidates.length; at += 1) if (candidates[at]?.model === model) return at;
  return -1;
}

function movedLast(
  candidates: readonly Candidate[],
  isMoved: (model: ModelId) => boolean,
  why: 'cooling' | 'avoided',
): readonly Candidate[] {
  const moved = candidates.filter(({ model }) => isMoved(model));
  if (moved.length === 0) return candidates;
  const others = candidates.filter(({ model }) => !isMoved(model));
  return [...others, ...moved.map(({ model, ranked }) => (ranked ? { model, why, ranked } : { model, why }))];
}
