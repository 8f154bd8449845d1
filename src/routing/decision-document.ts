import { needsIn, type RequestNeeds } from '../catalog/abilities.js';
import { type CandidateOrder, placeOf } from './candidate-order.js';
import type { Candidate } from './candidate.js';
import type { Decision } from './decision.js';

/** What is known around a decision. */
export interface DecisionFacts {
  /** The request's. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** The client's pin, and whether this request follows it. */
  readonly pin: { readonly model: string; readonly applies: boolean } | undefined;
  /** Milliseconds since each feed was last fetched; `undefined` for one that never was. */
  readonly feeds: Readonly<Record<string, number | undefined>>;
}

/** A decision as JSON shows it: nothing of the body, the client or its session. */
export function decisionDocument(
  decision: Decision,
  order: CandidateOrder,
  { id, atMs, pin, feeds }: DecisionFacts,
): object {
  const { route } = decision;
  const alias = route.mode === 'alias' ? route.alias : undefined;
  const features = alias?.policy.features ?? [];
  return {
    object: 'autopilot.decision',
    id,
    at: new Date(atMs).toISOString(),
    mode: route.mode,
    ...(alias && { alias: alias.alias, sort: alias.policy.sort, variants: alias.variants }),
    needs: { ...needsDocument(decision.asked), ...(features.length > 0 && { features }) },
    pin: pin ?? null,
    candidates: order.candidates.map((_, n) => candidateDocument(decision, order, n)),
    excluded: decision.excluded(),
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([feed, ageMs]) => [feed, ageMs === undefined ? null : Math.round(ageMs)]),
    ),
  };
}

function needsDocument({ needs, promptBytes, answerTokens }: RequestNeeds): object {
  return {
    ...Object.fromEntries(needsIn(needs).map((need) => [need, true])),
    prompt_bytes: promptBytes,
    ...(answerTokens > 0 && { answer_tokens: answerTokens }),
  };
}

function candidateDocument(decision: Decision, order: CandidateOrder, n: number): object {
  const { model, why } = order.candidates[placeOf(order, n)] as Candidate;
  const figures = decision.figuresOf(model);
  return {
    model,
    why: n === 0 && order.pinnedAt !== -1 ? 'pinned' : why,
    // `undefined` is left out.
    score: figures?.capacity?.score,
    ttft_s: figures?.ttftS,
    tps: figures?.tps,
    price: figures?.price,
  };
}
