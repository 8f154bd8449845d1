import { needSet, type RequestNeeds, UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';
import type { AliasBook, AliasRef } from './alias-book.js';
import type { Candidate } from './candidate.js';
import { fitOf } from './eligibility.js';
import { modelName } from './model-name.js';
import type { Choice, Exclusion } from './pool.js';
import type { Route } from './route.js';
import type { RoutingSnapshot } from './routing-snapshot.js';
import type { ClientPoint } from './spread.js';
import { suggestionFor } from './suggestion.js';

const MAX_NAMED_UNKNOWN = 8;
const TEE = needSet('tee');

export interface CandidateSettings {
  readonly aliases: AliasBook;
  /** Whether models that the catalog does not have are refused, once there is a catalog. */
  readonly isStrict: boolean;
  /** Whether only models that are known to run in trusted execution environments may answer. */
  readonly requireTee: boolean;
}

export interface Candidates extends Omit<Choice, 'spread'> {
  /** Those that the client named and that cannot. */
  readonly excluded: readonly Exclusion[];
}

const NOBODY = { excluded: [], left: [], excludedCounts: [] } as const;

/**
 * The models to try, in order. An alias that does not spread its clients gets its pool's own list, not a copy.
 *
 * @param client who asks, where that matters
 * @throws {ApiError} `unknown_model`, `no_candidates`, `no_capable_model`, `not_confidential`
 */
export function candidatesFor(
  route: Route,
  request: RequestNeeds,
  snapshot: RoutingSnapshot,
  settings: CandidateSettings,
  client?: ClientPoint,
): Candidates {
  // Nobody can be known to be confidential.
  if (settings.requireTee && snapshot.catalog.models.length === 0) throw ApiError.noCandidates();
  switch (route.mode) {
    case 'alias': {
      const choice = ofAlias(route.alias, request, snapshot);
      const { left, excludedCounts } = choice;
      return { candidates: orderOf(choice, client), left, excludedCounts, excluded: NOBODY.excluded };
    }
    case 'direct':
      check([route.model], snapshot, settings);
      return { ...NOBODY, candidates: [direct(route.model, snapshot, settings)] };
    case 'list':
      return ofList(route.items, request, snapshot, settings, client);
  }
}

function ofAlias(alias: AliasRef, request: RequestNeeds, snapshot: RoutingSnapshot): Choice {
  const pool = snapshot.poolOf(alias);
  if (pool.models.length === 0) {
    throw snapshot.eligible.length === 0 ? ApiError.noCandidates() : ApiError.emptyPool(alias.alias);
  }
  const choice = pool.choose(request);
  if (choice.candidates.length > 0) return choice;
  throw ApiError.noCapableModel(pool.missing(request), pool.models.length);
}

function orderOf({ candidates, spread }: Choice, client: ClientPoint | undefined): readonly Candidate[] {
  return spread && client !== undefined ? spread.orderFor(client) : candidates;
}

function direct(model: ModelId, { catalog }: RoutingSnapshot, { requireTee }: CandidateSettings): Candidate {
  const name = modelName(model, catalog);
  const isConfidential = name && catalog.byId.get(name.id)?.abilities.isConfidential;
  if (requireTee && isConfidential !== true) throw ApiError.notConfidential();
  return { model, why: 'direct' };
}

function ofList(
  items: readonly (ModelId | AliasRef)[],
  request: RequestNeeds,
  snapshot: RoutingSnapshot,
  settings: CandidateSettings,
  client: ClientPoint | undefined,
): Candidates {
  check(
    items.filter((item) => typeof item === 'string'),
    snapshot,
    settings,
  );
  const named: Candidate[] = [];
  const able: Candidate[] = [];
  const excluded: Exclusion[] = [];
  for (const item of items) {
    if (typeof item !== 'string') {
      able.push(...orderOf(snapshot.poolOf(item).choose(request), client));
      continue;
    }
    const name = modelName(item, snapshot.catalog);
    const candidate: Candidate = { model: name ? ((name.id + name.suffix) as ModelId) : item, why: 'listed' };
    const abilities = (name && snapshot.catalog.byId.get(name.id)?.abilities) ?? UNKNOWN_ABILITIES;
    const fit = fitOf(request, abilities);
    if (fit.kind === 'unmet') excluded.push({ model: candidate.model, why: fit.why });
    else able.push(candidate);
    // What runs in the open does not get what is not to run there, whoever named it.
    if (fitOf({ ...NO_SIZE, needs: request.needs & TEE }, abilities).kind === 'met') named.push(candidate);
  }
  if (able.length > 0) {
    const left = excluded.map(({ why }) => [why, 1] as const);
    return { candidates: firstOfEachModel(able), excluded, left, excludedCounts: left };
  }
  if (named.length > 0) return { ...NOBODY, candidates: firstOfEachModel(named) };
  if (excluded.length > 0) throw ApiError.noCapableModel([['tee', excluded.length]], excluded.length);
  throw ApiError.noCandidates();
}

const NO_SIZE = { promptBytes: 0, answerTokens: 0 } as const;

function check(
  items: readonly string[],
  { catalog }: RoutingSnapshot,
  { aliases, isStrict }: CandidateSettings,
): void {
  if (!isStrict || catalog.models.length === 0) return;
  const unknown = items.filter((item) => !modelName(item, catalog)).slice(0, MAX_NAMED_UNKNOWN);
  if (unknown.length === 0) return;
  const names = [...aliases.names, ...catalog.ids];
  throw ApiError.unknownModel(
    unknown.map((id) => ({ id, suggestion: suggestionFor(id, names) })),
    aliases.names,
  );
}

function firstOfEachModel(candidates: readonly Candidate[]): readonly Candidate[] {
  const models = new Set<ModelId>();
  return candidates.filter(({ model }) => models.size < models.add(model).size);
}
