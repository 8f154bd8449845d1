import type { ModelId } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';
import { MAX_MODEL_BYTES } from '../openai/model-limit.js';

const MAX_ITEM_BYTES = 256;

/** What the value of `model` asks for. The items of a list may be aliases. */
export type Route =
  | { readonly mode: 'alias' }
  | { readonly mode: 'list'; readonly items: readonly string[] }
  | { readonly mode: 'direct'; readonly model: ModelId };

export interface RouteSettings {
  readonly aliases: readonly string[];
  readonly maxListItems: number;
}

/** @throws {ApiError} `invalid_model`, `invalid_model_list` */
export function routeOf(value: string, { aliases, maxListItems }: RouteSettings): Route {
  if (Buffer.byteLength(value) > MAX_MODEL_BYTES) {
    throw ApiError.invalidModel(`is longer than ${MAX_MODEL_BYTES} bytes`);
  }
  if (!value.isWellFormed()) throw ApiError.invalidModel('has half a surrogate pair');

  if (aliases.includes(value)) return { mode: 'alias' };
  if (!value.includes(',')) {
    checkItem(value);
    return { mode: 'direct', model: value as ModelId };
  }

  const items = [...new Set(value.split(',').map(asciiTrim))].filter((item) => item !== '');
  items.forEach(checkItem);
  if (items.length === 0) throw ApiError.invalidModelList('names no model');
  if (items.length > maxListItems) throw ApiError.invalidModelList(`names more than ${maxListItems} models`);
  return { mode: 'list', items };
}

function checkItem(item: string): void {
  if (Buffer.byteLength(item) > MAX_ITEM_BYTES) {
    throw ApiError.invalidModel(`names a model in more than ${MAX_ITEM_BYTES} bytes`);
  }
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
