import type { Abilities } from '../catalog/abilities.js';
import type { ModelEntry } from './model-documents.js';

/**
 * What the model list says of an alias: all that one of its models can, the longest context and the longest answer. A field that none
 * of them is known by is left out.
 *
 * @param pool what is known of each model that may answer; their order changes nothing
 */
export function aliasEntry(alias: string, pool: readonly Abilities[]): ModelEntry {
  return {
    id: alias,
    object: 'model',
    created: 0,
    owned_by: 'chutes-autopilot',
    ...given('context_length', largestOf(pool.map(({ contextTokens }) => contextTokens))),
    ...given('max_output_length', largestOf(pool.map(({ maxOutputTokens }) => maxOutputTokens))),
    ...given('input_modalities', allOf(pool.map(({ inputModalities }) => inputModalities))),
    ...given('supported_features', allOf(pool.map(({ features }) => features))),
  };
}

function given(field: string, value: unknown): object {
  return value === undefined ? {} : { [field]: value };
}

function largestOf(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** In the order of the alphabet: that of the pool changes with every feed. */
function allOf(lists: readonly (ReadonlySet<string> | undefined)[]): readonly string[] | undefined {
  const known = lists.filter((list) => list !== undefined);
  if (known.length === 0) return undefined;
  return [...known.reduce((all, list) => all.union(list), new Set<string>())].toSorted();
}
