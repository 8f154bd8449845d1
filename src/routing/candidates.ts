import type { ModelId, ModelList } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';
import type { RoutingSnapshot } from '../ranking/ranking.service.js';
import type { Route } from './route.js';
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
): readonly ModelId[] {
  const candidates = expand();
  if (candidates.length === 0) throw ApiError.noCandidates();
  return candidates;

  function expand(): readonly ModelId[] {
    switch (route.mode) {
      case 'alias':
        return ranked;
      case 'direct':
        check([route.model]);
        return [route.model];
      case 'list': {
        check(route.items.filter((item) => !aliases.includes(item)));
        const models = route.items.flatMap((item) => (aliases.includes(item) ? ranked : [item as ModelId]));
        return [...new Set(models)];
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

/** The catalog's id for a model as a client may spell it: as it stands, or less one `:suffix` of Chutes' own grammar. */
export function catalogIdOf(model: string, { byId }: ModelList): ModelId | undefined {
  const known = byId.get(model);
  if (known) return known.id;
  const colon = model.lastIndexOf(':');
  return colon === -1 ? undefined : byId.get(model.slice(0, colon))?.id;
}
