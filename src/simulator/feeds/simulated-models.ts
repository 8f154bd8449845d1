import { type ModelTrait, MODEL_TRAITS } from './model-table.js';
import { fraction, hex, uuid } from '../seeded.js';

/** An entry of `GET /v1/models`; the fields beyond these are in the entries, too, and differ between them. */
export interface ModelEntry {
  readonly id: string;
  readonly chute_id?: string;
  readonly confidential_compute?: boolean;
  readonly [field: string]: unknown;
}

const SAMPLING_PARAMETERS = [
  'temperature',
  'top_p',
  'top_k',
  'repetition_penalty',
  'frequency_penalty',
  'presence_penalty',
  'stop',
  'seed',
];

/**
 * The model list of a seed: the order, the prices and the ids of the chutes follow from it.
 *
 * @param created seconds since the epoch, as the entries' `created`
 */
export function simulatedModels(seed: number, created: number): ModelEntry[] {
  return MODEL_TRAITS.map((trait) => entryOf(trait, seed, created));
}

/** One complete entry, for tests that make up their own list; `fields` go over the derived ones. */
export function modelEntry(id: string, fields: Readonly<Record<string, unknown>> = {}): ModelEntry {
  const trait: ModelTrait = {
    id,
    context: 131_072,
    quantization: 'bf16',
    modalities: ['text'],
    thinks: false,
    bare: false,
  };
  return { ...entryOf(trait, 1, 1_771_393_340), ...fields };
}

/** The UUID of the chute that serves a model. */
export function chuteIdOf(name: string): string {
  return uuid(`chute ${name}`);
}

function entryOf(trait: ModelTrait, seed: number, created: number): ModelEntry {
  const { id, context } = trait;
  const usd = priceOf(`${seed} ${id}`);
  const always = {
    id,
    root: id.replace(/-TEE$/, ''),
    price: {
      input: money(usd.prompt),
      output: money(usd.completion),
      input_cache_read: money(usd.input_cache_read),
    },
    object: 'model',
    parent: null,
    created,
    pricing: usd,
    chute_id: chuteIdOf(id),
    owned_by: fraction(`engine ${id}`) < 0.45 ? 'sglang' : 'vllm',
    max_model_len: context,
    confidential_compute: id.endsWith('-TEE'),
  };
  if (trait.bare) {
    return { ...always, permission: [permissionOf(id, created)] };
  }
  return {
    ...always,
    quantization: trait.quantization,
    context_length: context,
    input_modalities: trait.modalities,
    max_output_length: Math.min(context, 65_536),
    output_modalities: ['text'],
    supported_features: featuresOf(trait),
    supported_sampling_parameters: SAMPLING_PARAMETERS,
  };
}

function featuresOf({ id, thinks }: ModelTrait): string[] {
  // The misspelt name is Chutes' own; readers have to live with it.
  const structured = fraction(`structured ${id}`) < 0.05 ? 'structured_output' : 'structured_outputs';
  return [
    'json_mode',
    structured,
    ...(fraction(`tools ${id}`) < 0.8 ? ['tools'] : []),
    ...(thinks ? ['reasoning'] : []),
  ];
}

function priceOf(key: string): { prompt: number; completion: number; input_cache_read: number } {
  const cents = 2 + Math.floor(fraction(`price ${key}`) ** 2 * 70);
  const factor = 2 + Math.floor(fraction(`output ${key}`) * 4);
  return { prompt: cents / 100, completion: (cents * factor) / 100, input_cache_read: cents / 200 };
}

const TAO_PER_USD = 0.005_226_509;

function money(usd: number): { tao: number; usd: number } {
  return { tao: usd * TAO_PER_USD, usd };
}

function permissionOf(id: string, created: number): Readonly<Record<string, unknown>> {
  return {
    id: `modelperm-${hex(`permission ${id}`, 16)}`,
    object: 'model_permission',
    created,
    allow_create_engine: false,
    allow_sampling: true,
    allow_logprobs: true,
    allow_search_indices: false,
    allow_view: true,
    allow_fine_tuning: false,
    organization: '*',
    group: null,
    is_blocking: false,
  };
}
