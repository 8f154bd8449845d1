import { AliasPolicy, type Sort } from '../config/alias-policy.js';

const SORT_WORDS = ['capacity', 'latency', 'throughput', 'price'] as const satisfies readonly Sort[];

/** What may stand behind an alias and a colon. */
export const VARIANT_WORDS: readonly string[] = [...SORT_WORDS, 'tee', 'spread'];

/** The alias and the words that a value of `model` is made of. */
export interface Variant {
  readonly alias: string;
  readonly words: readonly string[];
}

/**
 * Takes a value apart at the end of the longest alias that it begins with.
 *
 * @returns `undefined` where it begins with none and a colon. The words may be none that there are.
 */
export function variantOf(value: string, aliases: Iterable<string>): Variant | undefined {
  let longest: string | undefined;
  for (const alias of aliases) {
    if (value.startsWith(`${alias}:`) && alias.length > (longest?.length ?? -1)) longest = alias;
  }
  return longest === undefined
    ? undefined
    : { alias: longest, words: value.slice(longest.length + 1).split(':') };
}

/**
 * The policy with what the words change.
 *
 * @returns `undefined` for words that there are not, that repeat, or that ask for two sorts.
 */
export function withVariants(policy: AliasPolicy, words: readonly string[]): AliasPolicy | undefined {
  if (new Set(words).size < words.length || !words.every((word) => VARIANT_WORDS.includes(word)))
    return undefined;
  const sorts = SORT_WORDS.filter((sort) => words.includes(sort));
  if (sorts.length > 1) return undefined;
  return Object.assign(new AliasPolicy(), policy, {
    sort: sorts[0] ?? policy.sort,
    tee: policy.tee || words.includes('tee'),
    spread: policy.spread || words.includes('spread'),
  });
}
