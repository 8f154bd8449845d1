import type { ModelId, ModelList } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';
import type { Candidate } from './candidate.js';
import type { Route } from './route.js';
import type { RoutingSnapshot } from './routing-snapshot.js';
import { suggestionFor } from './suggestion.js';

const MAX_NAMED_UNKNOWN = 8;

export interface CandidateSettings {
  readonly aliases: readonly string[];
  /** Whether models that the catalog does not have are refused, once there is a catalog. */
  readonly isStrict: boolean;
}

/**
 * The models to try, in order. The alias gets the snapshot's own list, not a copy.
 *
 * @throws {ApiError} `unknown_model`, `no_candidates`
 */
export function candidatesFor(
  route: Route,
  { ranked, catalog }: RoutingSnapshot,
  { aliases, isStrict }: CandidateSettings,
): readonly Candidate[] {
  const candidates = expand();
  if (candidates.length === 0) throw ApiError.noCandidates();
  return candidates;

  function expand(): readonly Candidate[] {
    switch (route.mode) {
      case 'alias':
        return ranked;
      case 'direct':
        check([route.model]);
        return [{ model: route.model, why: 'direct' }];
      case 'list': {
        check(route.items.filter((item) => !aliases.includes(item)));
        return firstOfEachModel(
          route.items.flatMap((item) => (aliases.includes(item) ? ranked : [listed(item)])),
        );
      }
    }
  }

  function check(items: readonly string[]): void {
    if (!isStrict || catalog.models.length === 0) return;
    const unknown = items
      .filter((item) => catalogIdOf(item, catalog) === undefined)
      .slice(0, MAX_NAMED_UNKNOWN);
    if (unknown.length === 0) return;
    const names = [...aliases, ...catalog.ids];
    throw ApiError.unknownModel(
      unknown.map((id) => ({ id, suggestion: suggestionFor(id, names) })),
      aliases,
    );
  }
}

function listed(item: string): Candidate {
  return { model: item as ModelId, why: 'listed' };
}

function firstOfEachModel(candidates: readonly Candidate[]): readonly Candidate[] {
  const models = new Set<ModelId>();
  return candidates.filter(({ model }) => models.size < models.add(model).size);
}

/** The catalog's id for a model as a client may spell it: as it stands, or less one `:suffix` of Chutes' own grammar. */
export function catalogIdOf(model: string, { byId }: ModelList): ModelId | undefined {
  const known = byId.get(model);
  if (known) return known.id;
  const colon = model.lastIndexOf(':');
  return colon === -1 ? undefined : byId.get(model.slice(0, colon))?.id;
}
