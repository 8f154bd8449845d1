/** What the simulated catalog knows about a model; the rest is derived from the id. */
export interface ModelTrait {
  readonly id: string;
  /** Tokens of context, as `context_length`. */
  readonly context: number;
  /** `max_model_len`: mostly the same. */
  readonly maxModelLen: number;
  readonly quantization: 'bf16' | 'fp8' | 'int4';
  readonly modalities: readonly ('text' | 'image' | 'video')[];
  readonly features: readonly string[];
  /** Like some of the real entries, without quantization, modalities, features and the like. */
  readonly bare: boolean;
  /** Served by others for Chutes: without price, lengths and features, and without utilization. */
  readonly external: boolean;
}

/** The model list of a month. */
export interface Catalog {
  readonly models: readonly ModelTrait[];
  /** USD per million tokens of output, the lowest and the highest. */
  readonly completionUsd: readonly [number, number];
  /** What cached tokens of input cost of fresh ones. */
  readonly cachedShare: number;
}

// id, context in units of 1024 tokens (/ max_model_len, where it differs), marks: f fp8, 4 int4, i image, v video,
// t tools, r reasoning, s the misspelt structured_output, b bare, x external
const FEBRUARY = `
Qwen/Qwen3-32B 40 rt
deepseek-ai/DeepSeek-V3.2-TEE 160 frt
zai-org/GLM-5-TEE 198 frt
openai/gpt-oss-120b-TEE 128 rt
moonshotai/Kimi-K2.5-TEE 256 4ivrt
deepseek-ai/DeepSeek-V3-0324-TEE 160 ft
chutesai/Mistral-Small-3.2-24B-Instruct-2506 128 fit
Qwen/Qwen3-235B-A22B-Instruct-2507-TEE 256 ft
unsloth/gemma-3-27b-it 125/1024 it
openai/gpt-oss-20b 128 rt
Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE 256 frt
deepseek-ai/DeepSeek-R1-0528-TEE 160 frt
NousResearch/Hermes-4-70B 128 rt
MiniMaxAI/MiniMax-M2.5-TEE 192 frt
zai-org/GLM-4.7-TEE 198 frt
tngtech/DeepSeek-TNG-R1T2-Chimera 160 frt
Qwen/Qwen3-Next-80B-A3B-Instruct 256 t
NousResearch/Hermes-4.3-36B 512 b
Qwen/Qwen2.5-VL-72B-Instruct-TEE 32 fi
unsloth/Mistral-Nemo-Instruct-2407 128 -
deepseek-ai/DeepSeek-V3.1-Terminus-TEE 160 frt
Qwen/Qwen3-14B 40 rt
zai-org/GLM-4.6V 128 irt
XiaomiMiMo/MiMo-V2-Flash 256 b
Qwen/Qwen3-30B-A3B 40 rt
moonshotai/Kimi-K2-Thinking-TEE 256 4rt
chutesai/Mistral-Small-3.1-24B-Instruct-2503 128 it
deepseek-ai/DeepSeek-R1-TEE 160 fr
nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 256 t
Qwen/Qwen3.5-397B-A17B-TEE 256 irt
unsloth/gemma-3-12b-it 128/1024 is
NousResearch/Hermes-4-14B 40 rt
zai-org/GLM-4.6-TEE 198 frt
unsloth/Mistral-Small-24B-Instruct-2501 32 it
Qwen/Qwen2.5-Coder-32B-Instruct 32 f
deepseek-ai/DeepSeek-V3 160 f
Qwen/Qwen3-235B-A22B-Thinking-2507 256 rt
OpenGVLab/InternVL3-78B-TEE 32 i
tngtech/DeepSeek-R1T-Chimera 160 fr
miromind-ai/MiroThinker-v1.5-235B 256 b
unsloth/Llama-3.2-3B-Instruct 16 b
zai-org/GLM-4.7-FP8 198 frt
deepseek-ai/DeepSeek-V3.1-TEE 160 frt
Qwen/Qwen3-Coder-Next 256 t
unsloth/gemma-3-4b-it 93.75/1024 i
Qwen/Qwen2.5-72B-Instruct 32 ft
MiniMaxAI/MiniMax-M2.1-TEE 192 frt
Qwen/Qwen3-VL-235B-A22B-Instruct 256 its
deepseek-ai/DeepSeek-R1-Distill-Llama-70B 128 rt
zai-org/GLM-4.7-Flash 198 rt
NousResearch/Hermes-4-405B-FP8-TEE 128 frt
unsloth/Llama-3.2-1B-Instruct 16 b
Qwen/Qwen2.5-VL-32B-Instruct 16/125 i
deepseek-ai/DeepSeek-V3.2-Speciale-TEE 160 fr
Qwen/Qwen3-30B-A3B-Instruct-2507 256 t
tngtech/R1T2-Chimera-Speed 128 4rt
zai-org/GLM-4.6-FP8 198 frt
NousResearch/DeepHermes-3-Mistral-24B-Preview 32 t
rednote-hilab/dots.ocr 128 i
Qwen/Qwen3Guard-Gen-0.6B 32 b
Qwen/Qwen3-235B-A22B 40 rt
`;

// Most names are made up; how many can what, how long and at what price, is as it was.
const AUGUST = `
zai-org/GLM-5-TEE 198 frt
moonshotai/Kimi-K2.5-TEE 256 4ivrt
Qwen/Qwen3-32B-TEE 40 rt
Qwen/Qwen3-Coder-Next-TEE 256 t
openai/gpt-oss-20b-TEE 128 rt
deepseek-ai/DeepSeek-V4-TEE 1024 frt
deepseek-ai/DeepSeek-V4-Flash-TEE 1024 frt
MiniMaxAI/MiniMax-M3-TEE 1024 b
moonshotai/Kimi-K3-TEE 256 4ivrt
Qwen/Qwen4-VL-235B-TEE 256 irt
Qwen/Qwen4-397B-A17B-TEE 256 irts
zai-org/GLM-5V-TEE 128 irt
unsloth/gemma-4-27b-it-TEE 128/512 it
NousResearch/Hermes-5-70B-TEE 128 b
external/frontier-large 0 x
`;

/** The months of which a catalog is known; the first one is the default. */
export const CATALOGS = {
  '2026-02': { models: readTable(FEBRUARY), completionUsd: [0.01, 3], cachedShare: 0.5 },
  '2026-08': { models: readTable(AUGUST), completionUsd: [0.098, 15], cachedShare: 0.1 },
} as const satisfies Readonly<Record<string, Catalog>>;

export type CatalogMonth = keyof typeof CATALOGS;

/** Chutes that have utilization but are no chat models: image, speech, embedding. */
export const OTHER_CHUTES: readonly string[] = [
  'Qwen/Qwen3-Embedding-0.6B',
  'Qwen/Qwen3-Embedding-8B',
  'BAAI/bge-m3',
  'kokoro',
  'FLUX.1-schnell',
  'qwen-image',
  'JuggernautXL',
  'chroma',
  'whisper-large-v3',
  'wan2.1-14b',
  'hidream',
  'bge-reranker-v2-m3',
];

function readTable(table: string): readonly ModelTrait[] {
  return table.trim().split('\n').map(readTrait);
}

function readTrait(line: string): ModelTrait {
  const [id = '', lengths = '', marks = ''] = line.split(' ');
  const [context = '', maxModelLen = context] = lengths.split('/');
  const has = (mark: string) => marks.includes(mark);
  return {
    id,
    context: Number(context) * 1024,
    maxModelLen: Number(maxModelLen) * 1024,
    quantization: has('f') ? 'fp8' : has('4') ? 'int4' : 'bf16',
    modalities: [
      'text',
      ...(has('i') ? (['image'] as const) : []),
      ...(has('v') ? (['video'] as const) : []),
    ],
    features: [
      'json_mode',
      has('s') ? 'structured_output' : 'structured_outputs',
      ...(has('t') ? ['tools'] : []),
      ...(has('r') ? ['reasoning'] : []),
    ],
    bare: has('b'),
    external: has('x'),
  };
}
