/** What the simulated catalog knows about a model; the rest is derived from the id. */
export interface ModelTrait {
  readonly id: string;
  /** Tokens of context. */
  readonly context: number;
  readonly quantization: 'bf16' | 'fp8' | 'int4';
  readonly modalities: readonly ('text' | 'image' | 'video')[];
  readonly thinks: boolean;
  /** Like some of the real entries, without quantization, modalities, features and the like. */
  readonly bare: boolean;
}

// id, context in units of 1024 tokens, marks: f fp8, 4 int4, i image, v video, r reasoning, b bare entry
const TABLE = `
Qwen/Qwen3-32B 40 r
deepseek-ai/DeepSeek-V3.2-TEE 160 fr
zai-org/GLM-5-TEE 198 fr
openai/gpt-oss-120b-TEE 128 r
moonshotai/Kimi-K2.5-TEE 256 4ivr
deepseek-ai/DeepSeek-V3-0324-TEE 160 f
chutesai/Mistral-Small-3.2-24B-Instruct-2506 128 fi
Qwen/Qwen3-235B-A22B-Instruct-2507-TEE 256 f
unsloth/gemma-3-27b-it 128 i
openai/gpt-oss-20b 128 r
Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE 256 fr
deepseek-ai/DeepSeek-R1-0528-TEE 160 fr
NousResearch/Hermes-4-70B 128 r
MiniMaxAI/MiniMax-M2.5-TEE 192 fr
zai-org/GLM-4.7-TEE 198 fr
tngtech/DeepSeek-TNG-R1T2-Chimera 160 fr
Qwen/Qwen3-Next-80B-A3B-Instruct 256 -
NousResearch/Hermes-4.3-36B 512 b
Qwen/Qwen2.5-VL-72B-Instruct-TEE 32 fi
unsloth/Mistral-Nemo-Instruct-2407 128 -
deepseek-ai/DeepSeek-V3.1-Terminus-TEE 160 fr
Qwen/Qwen3-14B 40 r
zai-org/GLM-4.6V 128 ir
XiaomiMiMo/MiMo-V2-Flash 256 b
Qwen/Qwen3-30B-A3B 40 r
moonshotai/Kimi-K2-Thinking-TEE 256 4r
chutesai/Mistral-Small-3.1-24B-Instruct-2503 128 i
deepseek-ai/DeepSeek-R1-TEE 160 fr
nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 256 -
Qwen/Qwen3.5-397B-A17B-TEE 256 ir
unsloth/gemma-3-12b-it 128 i
NousResearch/Hermes-4-14B 40 r
zai-org/GLM-4.6-TEE 198 fr
Qwen/Qwen2.5-Coder-32B-Instruct 32 f
deepseek-ai/DeepSeek-V3 160 f
Qwen/Qwen3-235B-A22B-Thinking-2507 256 r
OpenGVLab/InternVL3-78B-TEE 32 i
tngtech/DeepSeek-R1T-Chimera 160 fr
miromind-ai/MiroThinker-v1.5-235B 256 b
unsloth/Llama-3.2-3B-Instruct 16 b
zai-org/GLM-4.7-FP8 198 fr
deepseek-ai/DeepSeek-V3.1-TEE 160 fr
Qwen/Qwen3-Coder-Next 256 -
unsloth/gemma-3-4b-it 128 i
Qwen/Qwen2.5-72B-Instruct 32 f
MiniMaxAI/MiniMax-M2.1-TEE 192 fr
Qwen/Qwen3-VL-235B-A22B-Instruct 256 i
deepseek-ai/DeepSeek-R1-Distill-Llama-70B 128 r
zai-org/GLM-4.7-Flash 198 r
NousResearch/Hermes-4-405B-FP8-TEE 128 fr
unsloth/Llama-3.2-1B-Instruct 16 b
Qwen/Qwen2.5-VL-32B-Instruct 125 i
deepseek-ai/DeepSeek-V3.2-Speciale-TEE 160 fr
Qwen/Qwen3-30B-A3B-Instruct-2507 256 -
tngtech/R1T2-Chimera-Speed 128 4r
zai-org/GLM-4.6-FP8 198 fr
NousResearch/DeepHermes-3-Mistral-24B-Preview 32 -
rednote-hilab/dots.ocr 128 i
Qwen/Qwen3Guard-Gen-0.6B 32 b
Qwen/Qwen3-235B-A22B 40 r
`;

/** About 60 models, in the order in which the model list names them. */
export const MODEL_TRAITS: readonly ModelTrait[] = TABLE.trim().split('\n').map(readTrait);

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

function readTrait(line: string): ModelTrait {
  const [id = '', context = '', marks = ''] = line.split(' ');
  return {
    id,
    context: Number(context) * 1024,
    quantization: marks.includes('f') ? 'fp8' : marks.includes('4') ? 'int4' : 'bf16',
    modalities: [
      'text',
      ...(marks.includes('i') ? ['image' as const] : []),
      ...(marks.includes('v') ? ['video' as const] : []),
    ],
    thinks: marks.includes('r'),
    bare: marks.includes('b'),
  };
}
