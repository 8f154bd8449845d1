import { type Catalog, CATALOGS, type ModelTrait } from './model-table.js';
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
export function simulatedModels(
  seed: number,
  created: number,
  catalog: Catalog = CATALOGS['2026-02'],
): ModelEntry[] {
  return catalog.models.map((trait) => entryOf(trait, seed, created, catalog));
}

/**
 * One complete entry, for tests that make up their own list, of a model that can all that text can do; `fields` go over
 * the derived ones.
 */
export function modelEntry(id: string, fields: Readonly<Record<string, unknown>> = {}): ModelEntry {
  const trait: ModelTrait = {
    id,
    context: 131_072,
    maxModelLen: 131_072,
    quantization: 'bf16',
    modalities: ['text'],
    features: ['json_mode', 'structured_outputs', 'tools'],
    bare: false,
    external: false,
  };
  return { ...entryOf(trait, 1, 1_771_393_340, CATALOGS['2026-02']), ...fields };
}

/** The UUID of the chute that serves a model. */
export function chuteIdOf(name: string): string {
  return uuid(`chute ${name}`);
}

function entryOf(trait: ModelTrait, seed: number, created: number, catalog: Catalog): ModelEntry {
  const { id, context } = trait;
  if (trait.external) return { id, root: id, object: 'model', parent: null, created, owned_by: 'external' };
  const usd = priceOf(`${seed} ${id}`, catalog);
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
    max_model_len: trait.maxModelLen,
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
    supported_features: trait.features,
    supported_sampling_parameters: SAMPLING_PARAMETERS,
  };
}

/** Between the catalog's lowest and highest, and mostly low; input costs a half to a sixth of output. */
function priceOf(
  key: string,
  { completionUsd: [low, high], cachedShare }: Catalog,
): { prompt: number; completion: number; input_cache_read: number } {
  const completion = low * (high / low) ** fraction(`price ${key}`);
  const prompt = completion / (2 + Math.floor(fraction(`input ${key}`) * 5));
  return {
    prompt: rounded(prompt),
    completion: rounded(completion),
    input_cache_read: rounded(prompt * cachedShare),
  };
}

/** To a hundredth of a cent: what is cheap stays above zero. */
function rounded(usd: number): number {
  return Math.ceil(usd * 10_000) / 10_000;
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
