import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readAliases } from '../src/config/aliases.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { utilizationRow } from '../src/simulator/feeds/simulated-utilization.js';
import { ask, complete, selectedOf } from './support/ask.js';
import { OTHER_EXAMPLES, readmeAliases } from './support/example-aliases.js';
import { startRouter, type TestRouter } from './support/router.js';

/** Of each model its free instances, its price for output (input costs half of that), and what else is told of it. */
const MODELS: Readonly<
  Record<string, { free: number; usd: number; told?: Readonly<Record<string, unknown>> }>
> = {
  'Qwen/Qwen3Guard-Gen-0.6B': { free: 30, usd: 0.01 },
  'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE': { free: 2, usd: 1.2, told: { context_length: 262_144 } },
  'Qwen/Qwen3-Coder-Next': { free: 6, usd: 0.6, told: { context_length: 262_144 } },
  'Qwen/Qwen2.5-Coder-32B-Instruct': { free: 20, usd: 0.2, told: { context_length: 32_768 } },
  'moonshotai/Kimi-K2.5-TEE': { free: 9, usd: 2.9 },
  'zai-org/GLM-4.7-Flash': { free: 12, usd: 0.4, told: { supported_features: ['json_mode', 'reasoning'] } },
  'zai-org/GLM-5-TEE': { free: 4, usd: 3 },
  'MiniMaxAI/MiniMax-M2.5-TEE': { free: 5, usd: 1 },
  'deepseek-ai/DeepSeek-V3.2-TEE': { free: 8, usd: 0.9 },
  'unsloth/Llama-3.2-3B-Instruct': { free: 3, usd: 0.02 },
  'openai/gpt-oss-20b': { free: 0, usd: 0.015 },
  'rednote-hilab/dots.ocr': { free: 7, usd: 0.01 },
  'external/frontier-large': { free: 25, usd: 0, told: { pricing: undefined } },
};
const TEE = Object.keys(MODELS).filter((id) => id.endsWith('-TEE'));
const MESSAGES = [{ role: 'user', content: 'Hi' }];
const TOOLS = [{ type: 'function', function: { name: 'now', parameters: { type: 'object' } } }];

let chutes: ChutesSimulator;
let router: TestRouter;
let callers = 0;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = Object.entries(MODELS).map(([id, { usd, told }]) =>
    modelEntry(id, { pricing: { prompt: usd / 2, completion: usd }, ...told }),
  );
  chutes.utilization = Object.entries(MODELS).map(([name, { free }]) => rowOf(name, free));
  router = await startRouter(chutes, { AUTOPILOT_ALIASES: readmeAliases() });
});

afterEach(() => {
  for (const model of Object.keys(MODELS)) chutes.behave(model, 'normal', { times: 0 });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

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

/** The models in the order in which they would be tried, and why the others would not. */
async function decisionOn(model: string, fields: object = {}) {
  const headers = { authorization: `Bearer cpk_${(callers += 1)}`, 'x-chutes-autopilot-dry-run': 'true' };
  const { text } = await complete(router, { model, messages: MESSAGES, ...fields }, { headers });
  const { candidates, excluded } = JSON.parse(text) as {
    candidates: readonly { model: string }[];
    excluded: readonly { model: string; why: string }[];
  };
  return {
    order: candidates.map((candidate) => candidate.model),
    out: new Map(excluded.map((one) => [one.model, one.why])),
  };
}

async function answers(model: string, fields: object = {}): Promise<string | null> {
  const headers = { authorization: `Bearer cpk_${(callers += 1)}` };
  return selectedOf(await complete(router, { model, messages: MESSAGES, ...fields }, { headers }));
}

describe('coder', () => {
  test('OPS-36: is for models of its makers that call tools and take 128k tokens, the one with the most free capacity first', async () => {
    const { order, out } = await decisionOn('coder', { tools: TOOLS });
    expect(order).toEqual([
      'moonshotai/Kimi-K2.5-TEE',
      'Qwen/Qwen3-Coder-Next',
      'MiniMaxAI/MiniMax-M2.5-TEE',
      'zai-org/GLM-5-TEE',
      'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE',
    ]);
    expect(out.get('Qwen/Qwen2.5-Coder-32B-Instruct')).toBe('context_too_small');
    expect(out.get('zai-org/GLM-4.7-Flash')).toBe('lacks_tools');
    expect(out.get('Qwen/Qwen3Guard-Gen-0.6B')).toBe('not_in_pool');
    // Needs tools or not: an agent that will call some does not say so each time.
    expect((await decisionOn('coder')).order).toEqual(order);
  });

  test('OPS-36: goes on among them when one fails, and never to the idle guard model', async () => {
    chutes.behave('moonshotai/Kimi-K2.5-TEE', 'unavailable');
    chutes.behave('Qwen/Qwen3-Coder-Next', 'unavailable');
    expect(await answers('coder', { tools: TOOLS })).toBe('MiniMaxAI/MiniMax-M2.5-TEE');
    for (const model of (await decisionOn('coder')).order) chutes.behave(model, 'unavailable');
    const { status } = await complete(router, { model: 'coder', messages: MESSAGES });
    expect(status).toBe(503);
    expect(chutes.generations.map(({ model }) => model)).not.toContain('Qwen/Qwen3Guard-Gen-0.6B');
  });

  test('OPS-36: tells agents that ask for it how long a conversation may be', async () => {
    const entry = JSON.parse((await ask(router, '/v1/models/coder')).text) as Record<string, unknown>;
    expect(entry).toMatchObject({ context_length: 131_072, max_output_length: 65_536 });
    expect(entry['supported_features']).toContain('tools');
  });
});

describe('batch', () => {
  test('OPS-36: is for whatever is cheapest and has room, at no more than its price', async () => {
    const { order, out } = await decisionOn('batch');
    expect(order).toEqual([
      'unsloth/Llama-3.2-3B-Instruct',
      'Qwen/Qwen2.5-Coder-32B-Instruct',
      'zai-org/GLM-4.7-Flash',
      'Qwen/Qwen3-Coder-Next',
      'deepseek-ai/DeepSeek-V3.2-TEE',
      'MiniMaxAI/MiniMax-M2.5-TEE',
      // Cheaper than all of them, and full.
      'openai/gpt-oss-20b',
    ]);
    expect(out.get('moonshotai/Kimi-K2.5-TEE')).toBe('over_price');
    expect(out.get('external/frontier-large')).toBe('over_price');
    expect(out.get('Qwen/Qwen3Guard-Gen-0.6B')).toBe('not_in_pool');
    expect(out.get('rednote-hilab/dots.ocr')).toBe('not_in_pool');
    expect(await answers('batch')).toBe('unsloth/Llama-3.2-3B-Instruct');
  });

  test('OPS-36: as batch:tee is the cheapest that is confidential', async () => {
    expect((await decisionOn('batch:tee')).order).toEqual([
      'deepseek-ai/DeepSeek-V3.2-TEE',
      'MiniMaxAI/MiniMax-M2.5-TEE',
    ]);
  });
});

describe('chat', () => {
  test('OPS-36: is for models in trusted execution environments alone', async () => {
    const { order, out } = await decisionOn('chat');
    expect(new Set(order)).toEqual(new Set(TEE));
    expect(out.get('unsloth/Llama-3.2-3B-Instruct')).toBe('not_confidential');
    expect(TEE).toContain(await answers('chat'));
  });
});

test('OPS-36: coder:price, as any variant, changes one request', async () => {
  expect((await decisionOn('coder:price')).order[0]).toBe('Qwen/Qwen3-Coder-Next');
});

test.each(Object.entries(OTHER_EXAMPLES))('OPS-35: %s shows the aliases of the README', (_, example) => {
  const shown = example();
  const text = typeof shown === 'string' ? shown : JSON.stringify(shown);
  const { aliases, problems } = readAliases(text);
  expect(problems).toEqual([]);
  expect(Object.fromEntries(aliases)).toEqual(Object.fromEntries(readAliases(readmeAliases()).aliases));
  expect(aliases.size).toBe(3);
});
