/** What a model can do and a request may need; the same words for both. */
export const NEEDS = [
  'tools',
  'json_mode',
  'structured_outputs',
  'image',
  'video',
  'audio',
  'file',
  'tee',
] as const;

export type Need = (typeof NEEDS)[number];

/** A bit for each need, the first of `NEEDS` lowest. */
export type NeedSet = number;

/** What a request needs of the model that answers it. */
export interface RequestNeeds {
  readonly needs: NeedSet;
  /** The body's bytes less those of pictures and the like. */
  readonly promptBytes: number;
  /** The most that the answer may have by the request's own limits; 0 where it sets none. */
  readonly answerTokens: number;
}

/** The set of these needs. */
export function needSet(...needs: readonly Need[]): NeedSet {
  return needs.reduce((set, need) => set | (1 << NEEDS.indexOf(need)), 0);
}

const NAMES = new Map<NeedSet, readonly Need[]>();

/** The names of a set, in the order of `NEEDS`; the same list each time, of which there are 256. */
export function needsIn(set: NeedSet): readonly Need[] {
  let names = NAMES.get(set);
  if (!names) {
    names = NEEDS.filter((_, bit) => (set & (1 << bit)) !== 0);
    NAMES.set(set, names);
  }
  return names;
}

/** USD per million tokens. */
export interface Price {
  readonly prompt: number;
  readonly completion: number;
}

/** What the catalog says of a model. What it does not say, or says in another type, is `undefined`: unknown, which is not no. */
export interface Abilities {
  /** Of `supported_features`, with what each of them includes. */
  readonly features: ReadonlySet<string> | undefined;
  readonly inputModalities: ReadonlySet<string> | undefined;
  /** Prompt and answer together. */
  readonly contextTokens: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly isConfidential: boolean | undefined;
  readonly price: Price | undefined;
}

export const UNKNOWN_ABILITIES: Abilities = {
  features: undefined,
  inputModalities: undefined,
  contextTokens: undefined,
  maxOutputTokens: undefined,
  isConfidential: undefined,
  price: undefined,
};

/** What some entries of Chutes' write, and what is meant. */
const OTHER_SPELLINGS: ReadonlyMap<string, string> = new Map([['structured_output', 'structured_outputs']]);

/** Whoever keeps to a schema writes JSON. */
const INCLUDES: ReadonlyMap<string, readonly string[]> = new Map([['structured_outputs', ['json_mode']]]);

/** Reads an entry of the model list, once, where it comes in. */
export function readAbilities(entry: Readonly<Record<string, unknown>>): Abilities {
  const { confidential_compute: isConfidential } = entry;
  // Both are limits, and either can be the larger: `max_model_len` is the engine's, `context_length` the model's.
  const lengths = [entry['context_length'], entry['max_model_len']].filter(isCount);
  return {
    features: featuresIn(entry['supported_features']),
    inputModalities: namesIn(entry['input_modalities']),
    contextTokens: lengths.length === 0 ? undefined : Math.min(...lengths),
    maxOutputTokens: isCount(entry['max_output_length']) ? entry['max_output_length'] : undefined,
    isConfidential: typeof isConfidential === 'boolean' ? isConfidential : undefined,
    price: priceIn(entry['pricing']),
  };
}

/** What a feature is called here, however it is spelled. */
export function featureName(name: string): string {
  return OTHER_SPELLINGS.get(name) ?? name;
}

function featuresIn(value: unknown): ReadonlySet<string> | undefined {
  const names = namesIn(value);
  if (!names) return undefined;
  const features = new Set<string>();
  for (const name of names) {
    const spelled = featureName(name);
    features.add(spelled);
    for (const included of INCLUDES.get(spelled) ?? []) features.add(included);
  }
  return features;
}

/** An empty list is a list; one that holds anything but names is not to be trusted. */
function namesIn(value: unknown): ReadonlySet<string> | undefined {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) return undefined;
  return new Set(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function priceIn(value: unknown): Price | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { prompt, completion } = value as { prompt?: unknown; completion?: unknown };
  return isPrice(prompt) && isPrice(completion) ? { prompt, completion } : undefined;
}

function isPrice(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
