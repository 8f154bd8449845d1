import type { ModelId } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';
import { MAX_MODEL_BYTES } from '../openai/model-limit.js';
import type { AliasBook, AliasRef } from './alias-book.js';

const MAX_ITEM_BYTES = 256;

/** What the value of `model` asks for. */
export type Route =
  | { readonly mode: 'alias'; readonly alias: AliasRef }
  | { readonly mode: 'list'; readonly items: readonly (ModelId | AliasRef)[] }
  | { readonly mode: 'direct'; readonly model: ModelId };

export interface RouteSettings {
  readonly aliases: AliasBook;
  readonly maxListItems: number;
  /** Whether the catalog has a model of just this name: it goes before a variant of an alias. */
  readonly isModel: (name: string) => boolean;
}

/** @throws {ApiError} `invalid_model`, `invalid_model_list`, `unknown_model` for words behind an alias that there are not */
export function routeOf(value: string, settings: RouteSettings): Route {
  if (Buffer.byteLength(value) > MAX_MODEL_BYTES) {
    throw ApiError.invalidModel(`is longer than ${MAX_MODEL_BYTES} bytes`);
  }
  if (!value.isWellFormed()) throw ApiError.invalidModel('has half a surrogate pair');
  if (value.includes(',')) return listOf(value, settings);
  const item = itemOf(value, settings);
  return typeof item === 'string' ? { mode: 'direct', model: item } : { mode: 'alias', alias: item };
}

function listOf(value: string, settings: RouteSettings): Route {
  const { maxListItems } = settings;
  const names = [...new Set(value.split(',').map(asciiTrim))].filter((item) => item !== '');
  const items = names.map((name) => itemOf(name, settings));
  if (items.length === 0) throw ApiError.invalidModelList('names no model');
  if (items.length > maxListItems) throw ApiError.invalidModelList(`names more than ${maxListItems} models`);
  return { mode: 'list', items };
}

function itemOf(name: string, { aliases, isModel }: RouteSettings): ModelId | AliasRef {
  const found = aliases.find(name);
  if (found && 'policy' in found && (found.alias === name || !isModel(name))) return found;
  if (Buffer.byteLength(name) > MAX_ITEM_BYTES) {
    throw ApiError.invalidModel(`names a model in more than ${MAX_ITEM_BYTES} bytes`);
  }
  if (found && 'wrongWords' in found && !isModel(name)) throw ApiError.unknownVariant(found.wrongWords);
  return name as ModelId;
}

const ASCII_SPACE = '\t\n\v\f\r ';

/**
 * `String.prototype.trim` would take Unicode white space as well, which can be part of a name; a regular
 * expression for the end would take quadratic time.
 */
function asciiTrim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && ASCII_SPACE.includes(text.charAt(start))) start += 1;
  while (start < end && ASCII_SPACE.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
