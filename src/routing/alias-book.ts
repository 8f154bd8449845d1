import type { AliasPolicy } from '../config/alias-policy.js';
import type { Aliases } from '../config/aliases.js';
import { variantOf, withVariants } from './variants.js';

/** An alias as a request may ask for it: with its policy, and with what variants change in it. */
export interface AliasRef {
  readonly alias: string;
  /** In the order of the alphabet. */
  readonly variants: readonly string[];
  readonly policy: AliasPolicy;
}

/** The aliases by every value that stands for one. */
export class AliasBook {
  /** By spelling. There are only so many: words cannot repeat. */
  private readonly known = new Map<string, AliasRef>();

  constructor(private readonly aliases: Aliases) {
    for (const [alias, policy] of aliases) this.known.set(alias, { alias, variants: [], policy });
  }

  /** As they are written in the configuration. */
  get names(): readonly string[] {
    return [...this.aliases.keys()];
  }

  /** Each alias as it is without variants. */
  get plain(): readonly AliasRef[] {
    return this.names.map((name) => this.known.get(name) as AliasRef);
  }

  /**
   * @returns `undefined` where the value is no alias; the words where it is one with something behind its colon that changes
   *   nothing there is.
   */
  find(value: string): AliasRef | { readonly wrongWords: string } | undefined {
    return this.known.get(value) ?? this.findVariant(value);
  }

  private findVariant(value: string): ReturnType<AliasBook['find']> {
    const variant = value.includes(':') ? variantOf(value, this.aliases.keys()) : undefined;
    if (!variant) return undefined;
    const { alias, words } = variant;
    const policy = withVariants(this.aliases.get(alias) as AliasPolicy, words);
    if (!policy) return { wrongWords: words.join(':') };
    const ref = { alias, variants: words.toSorted(), policy };
    this.known.set(value, ref);
    return ref;
  }
}
