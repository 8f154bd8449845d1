import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { modelEntry } from '../../src/simulator/feeds/simulated-models.js';
import { statisticsRow } from '../../src/simulator/feeds/simulated-statistics.js';
import { utilizationRow } from '../../src/simulator/feeds/simulated-utilization.js';

interface Model {
  /** Free instances. */
  readonly free: number;
  /** Its price for output; input costs half of that. */
  readonly usd: number;
  /** Seconds to the first token and tokens a second, as the statistics have them; 0 is unknown. */
  readonly speed?: readonly [ttftS: number, tps: number];
  /** What else the model list tells of it. */
  readonly told?: Readonly<Record<string, unknown>>;
}

const MODELS: Readonly<Record<string, Model>> = {
  'Qwen/Qwen3Guard-Gen-0.6B': { free: 30, usd: 0.01 },
  'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE': {
    free: 2,
    usd: 1.2,
    speed: [0.9, 35],
    told: { context_length: 262_144 },
  },
  'Qwen/Qwen3-Coder-Next': { free: 6, usd: 0.6, told: { context_length: 262_144 } },
  'Qwen/Qwen2.5-Coder-32B-Instruct': { free: 20, usd: 0.2, told: { context_length: 32_768 } },
  'moonshotai/Kimi-K2.5-TEE': { free: 9, usd: 2.9, speed: [0.3, 20] },
  'zai-org/GLM-4.7-Flash': { free: 12, usd: 0.4, told: { supported_features: ['json_mode', 'reasoning'] } },
  'zai-org/GLM-5-TEE': { free: 4, usd: 3, speed: [2, 30] },
  'MiniMaxAI/MiniMax-M2.5-TEE': { free: 5, usd: 1, speed: [1.1, 90] },
  'deepseek-ai/DeepSeek-V3.2-TEE': { free: 8, usd: 0.9, speed: [0.5, 0] },
  'unsloth/Llama-3.2-3B-Instruct': { free: 3, usd: 0.02, speed: [0.1, 200] },
  'openai/gpt-oss-20b': { free: 0, usd: 0.015 },
  'rednote-hilab/dots.ocr': { free: 7, usd: 0.01 },
  'external/frontier-large': { free: 25, usd: 0, told: { pricing: undefined } },
};

/** Those of `coder`, with their free instances. */
export const CODERS: Readonly<Record<string, number>> = {
  'moonshotai/Kimi-K2.5-TEE': 9,
  'Qwen/Qwen3-Coder-Next': 6,
  'MiniMaxAI/MiniMax-M2.5-TEE': 5,
  'zai-org/GLM-5-TEE': 4,
  'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE': 2,
};
export const GUARD = 'Qwen/Qwen3Guard-Gen-0.6B';
export const IDS: readonly string[] = Object.keys(MODELS);
export const TEE: readonly string[] = IDS.filter((id) => id.endsWith('-TEE'));

/** A fleet that tells the aliases of the README apart. */
export function giveFleet(chutes: ChutesSimulator): void {
  chutes.models = Object.entries(MODELS).map(([id, { usd, told }]) =>
    modelEntry(id, { pricing: { prompt: usd / 2, completion: usd }, ...told }),
  );
  chutes.utilization = Object.entries(MODELS).map(([name, { free }]) => rowOf(name, free));
  chutes.stats = Object.entries(MODELS).flatMap(([id, { speed }]) =>
    speed ? [statisticsRow(id, { average_ttft: speed[0], average_tps: speed[1] })] : [],
  );
}

/** A model that runs, with so many instances free. One with none is busy all over. */
function rowOf(name: string, free: number) {
  const busy = free === 0 ? 1 : 0;
  return utilizationRow(name, {
    active_instance_count: Math.max(free, 1),
    utilization_current: busy,
    utilization_5m: busy,
    utilization_15m: busy,
    utilization_1h: busy,
    rate_limit_ratio_5m: 0,
    rate_limit_ratio_15m: 0,
    rate_limit_ratio_1h: 0,
    scalable: false,
  });
}
