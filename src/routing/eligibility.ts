import { type Abilities, type Need, needsIn, type RequestNeeds } from '../catalog/abilities.js';
import type { ExclusionReason, UnknownReason } from './why.js';

/** Whether a model meets what is needed; where it does not, or nobody knows, by the first need in the order of reasons. */
export type Fit =
  | { readonly kind: 'met' }
  | { readonly kind: 'unknown'; readonly why: UnknownReason }
  | { readonly kind: 'unmet'; readonly why: ExclusionReason };

type Kind = Fit['kind'];

/** So much fits into a context of which nothing is known. */
export const FITS_ANYWHERE_TOKENS = 4_096;

/** Bytes a token: hardly any text has fewer than three, and hardly any more than ten. */
const FEWEST_BYTES = 3;
const MOST_BYTES = 10;

/** As many tokens as prompt and answer may take together at the most. */
export function mostTokens({ promptBytes, answerTokens }: RequestNeeds): number {
  return Math.ceil(promptBytes / FEWEST_BYTES) + answerTokens;
}

/** As many as they take at the least. */
export function leastTokens({ promptBytes, answerTokens }: RequestNeeds): number {
  return Math.floor(promptBytes / MOST_BYTES) + answerTokens;
}

const MET: Fit = { kind: 'met' };

/** @param features of the alias's policy, beside what the request needs */
export function fitOf(request: RequestNeeds, abilities: Abilities, features: readonly string[] = []): Fit {
  let unknown: Fit | undefined;
  for (const { kind, name } of questions(request, abilities, features)) {
    if (kind === 'unmet') return { kind, why: exclusionFor(name) };
    if (kind === 'unknown') unknown ??= { kind, why: `unknown_${name}` };
  }
  return unknown ?? MET;
}

interface Question {
  readonly kind: Kind;
  readonly name: string;
}

/** In the order in which reasons are told. */
function* questions(
  request: RequestNeeds,
  abilities: Abilities,
  features: readonly string[],
): Generator<Question> {
  const needs = needsIn(request.needs);
  for (const need of needs) if (need !== 'tee') yield { kind: kindOf(need, abilities), name: need };
  for (const feature of features) yield { kind: listed(abilities.features, feature), name: feature };
  yield { kind: contextKind(request, abilities.contextTokens), name: 'context' };
  // Nobody is to rely on a protection that may not be there.
  if (needs.includes('tee')) yield { kind: abilities.isConfidential === true ? 'met' : 'unmet', name: 'tee' };
}

function exclusionFor(name: string): ExclusionReason {
  if (name === 'context') return 'context_too_small';
  return name === 'tee' ? 'not_confidential' : `lacks_${name}`;
}

function kindOf(need: Exclude<Need, 'tee'>, { features, inputModalities }: Abilities): Kind {
  switch (need) {
    case 'tools':
    case 'json_mode':
    case 'structured_outputs':
      return listed(features, need);
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
      return listed(inputModalities, need);
  }
}

function listed(names: ReadonlySet<string> | undefined, name: string): Kind {
  if (!names) return 'unknown';
  return names.has(name) ? 'met' : 'unmet';
}

function contextKind(request: RequestNeeds, contextTokens: number | undefined): Kind {
  const most = mostTokens(request);
  if (contextTokens === undefined) return most <= FITS_ANYWHERE_TOKENS ? 'met' : 'unknown';
  if (most <= contextTokens) return 'met';
  return leastTokens(request) > contextTokens ? 'unmet' : 'unknown';
}
