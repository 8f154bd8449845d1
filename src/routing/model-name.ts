import type { ModelId, ModelList } from '../catalog/model-list.js';

/** Chutes answers to the older names of models that moved into trusted execution environments. */
const MOVED = '-TEE';

/** A model as a client may spell it: the id that the catalog has, and the suffix of Chutes' own grammar behind it. */
export interface ModelName {
  readonly id: ModelId;
  /** With its colon; empty where there is none. */
  readonly suffix: string;
}

/** @returns `undefined` for a model that the catalog does not have: as it stands, less one `:suffix`, or moved. */
export function modelName(model: string, { byId }: ModelList): ModelName | undefined {
  const known = byId.get(model) ?? byId.get(model + MOVED);
  if (known) return { id: known.id, suffix: '' };
  const colon = model.lastIndexOf(':');
  if (colon === -1) return undefined;
  const stem = model.slice(0, colon);
  const its = byId.get(stem) ?? byId.get(stem + MOVED);
  return its && { id: its.id, suffix: model.slice(colon) };
}

/** The catalog's id for a model as a client may spell it. */
export function catalogIdOf(model: string, catalog: ModelList): ModelId | undefined {
  return modelName(model, catalog)?.id;
}
