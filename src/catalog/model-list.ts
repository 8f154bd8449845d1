import { type Abilities, readAbilities } from './abilities.js';
import { isObject } from './is-object.js';

declare const brand: unique symbol;

/** The id of a model, as the catalog or a validated request spells it. */
export type ModelId = string & { readonly [brand]: 'ModelId' };

export interface CatalogModel {
  readonly id: ModelId;
  readonly chuteId: string | undefined;
  readonly abilities: Abilities;
  /** The upstream's entry as it came. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** The models in the catalog's order and by id. Immutable. */
export interface ModelList {
  readonly models: readonly CatalogModel[];
  readonly byId: ReadonlyMap<string, CatalogModel>;
  readonly ids: readonly ModelId[];
}

export const EMPTY_MODEL_LIST: ModelList = { models: [], byId: new Map(), ids: [] };

/**
 * Reads the body of `GET /v1/models`. Entries without an id are skipped and counted.
 *
 * @returns `undefined` if the root is not `{"data": […]}`.
 */
export function readModelList(root: unknown): { list: ModelList; skipped: number } | undefined {
  if (!isObject(root) || !Array.isArray(root['data'])) return undefined;
  const entries: unknown[] = root['data'];
  const models = entries.map(readModel).filter((model) => model !== undefined);
  const byId = new Map(models.map((model) => [model.id as string, model]));
  const list = { models, byId, ids: [...byId.values()].map(({ id }) => id) };
  return { list, skipped: entries.length - models.length };
}

function readModel(entry: unknown): CatalogModel | undefined {
  if (!isObject(entry)) return undefined;
  const { id, chute_id: chuteId } = entry;
  if (typeof id !== 'string' || id === '') return undefined;
  return {
    id: id as ModelId,
    chuteId: typeof chuteId === 'string' ? chuteId : undefined,
    abilities: readAbilities(entry),
    entry,
  };
}
