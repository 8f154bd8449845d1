import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readAliases } from '../src/config/aliases.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete, selectedOf } from './support/ask.js';
import { OTHER_EXAMPLES, readmeAliases } from './support/example-aliases.js';
import { disproportions } from './support/proportion.js';
import { CODERS, GUARD, giveFleet, IDS, TEE } from './support/readme-fleet.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

const MESSAGES = [{ role: 'user', content: 'Hi' }];
const TOOLS = [{ type: 'function', function: { name: 'now', parameters: { type: 'object' } } }];

let chutes: ChutesSimulator;
let router: TestRouter;
let callers = 0;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  giveFleet(chutes);
  router = await startRouter(chutes, {
    AUTOPILOT_ALIASES: readmeAliases(),
    STATS_URL: `${chutes.url}/invocations/stats/llm`,
    // What fails in one test is to be as good as any in the next.
    COOLDOWN_FAILURES: '0',
  });
  await eventually(async () => (await decisionOn('chat')).feeds['stats'] !== null);
});

afterEach(() => {
  for (const model of IDS) chutes.behave(model, 'normal', { times: 0 });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

/** The models in the order in which they would be tried, and why the others would not. */
async function decisionOn(model: string, fields: object = {}) {
  const headers = { ...newcomer(), 'x-chutes-autopilot-dry-run': 'true' };
  const { text } = await complete(router, { model, messages: MESSAGES, ...fields }, { headers });
  const { candidates, excluded, feeds } = JSON.parse(text) as {
    candidates: readonly { model: string }[];
    excluded: readonly { model: string; why: string }[];
    feeds: Readonly<Record<string, number | null>>;
  };
  return {
    order: candidates.map((candidate) => candidate.model),
    out: new Map(excluded.map((one) => [one.model, one.why])),
    feeds,
  };
}

/** A client that was never seen before. */
function newcomer(): { readonly authorization: string } {
  return { authorization: `Bearer cpk_${(callers += 1)}` };
}

async function answers(
  model: string,
  headers: Readonly<Record<string, string>> = newcomer(),
): Promise<string | null> {
  return selectedOf(await complete(router, { model, messages: MESSAGES, tools: TOOLS }, { headers }));
}

describe('coder', () => {
  test('OPS-36: is for models of its makers that call tools and take 128k tokens', async () => {
    const { order, out } = await decisionOn('coder', { tools: TOOLS });
    expect(new Set(order)).toEqual(new Set(Object.keys(CODERS)));
    expect(out.get('Qwen/Qwen2.5-Coder-32B-Instruct')).toBe('context_too_small');
    expect(out.get('zai-org/GLM-4.7-Flash')).toBe('lacks_tools');
    expect(out.get(GUARD)).toBe('not_in_pool');
    // Needs tools or not: an agent that will call some does not say so each time.
    expect(new Set((await decisionOn('coder')).order)).toEqual(new Set(order));
  });

  test('OPS-36: gets its clients onto models in proportion to their free capacity, and keeps each there', async () => {
    const clients = Array.from({ length: 300 }, newcomer);
    const models: (string | null)[] = [];
    for (const client of clients) models.push(await answers('coder', client));
    expect(disproportions(models, CODERS)).toEqual([]);
    for (const [n, client] of clients.slice(0, 30).entries()) {
      expect(await answers('coder', client)).toBe(models[n]);
    }
  });

  test('OPS-36: does so with the sessions of one agent’s token, but not with what comes without any', async () => {
    const agent = newcomer();
    const models: (string | null)[] = [];
    for (let n = 0; n < 300; n += 1) models.push(await answers('coder', { ...agent, session_id: `${n}` }));
    expect(disproportions(models, CODERS)).toEqual([]);
    const shared = new Set<string | null>();
    for (let n = 0; n < 10; n += 1) shared.add(await answers('coder', agent));
    expect(shared.size).toBe(1);
  });

  test('OPS-36: goes on among them in the client’s order when one fails, and never to the idle guard model', async () => {
    const { order } = await decisionOn('coder');
    const client = { authorization: `Bearer cpk_${callers}` };
    for (const model of order.slice(0, 2)) chutes.behave(model, 'unavailable');
    expect(await answers('coder', client)).toBe(order[2]);
    for (const model of order) chutes.behave(model, 'unavailable');
    const { status } = await complete(router, { model: 'coder', messages: MESSAGES });
    expect(status).toBe(503);
    expect(chutes.generations.map(({ model }) => model)).not.toContain(GUARD);
  });

  test('OPS-36: as coder:price goes to the cheapest, whoever asks, alone and in a list', async () => {
    const byPrice = [
      'Qwen/Qwen3-Coder-Next',
      'MiniMaxAI/MiniMax-M2.5-TEE',
      'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE',
      'moonshotai/Kimi-K2.5-TEE',
      'zai-org/GLM-5-TEE',
    ];
    for (let n = 0; n < 5; n += 1) expect((await decisionOn('coder:price')).order).toEqual(byPrice);
    expect((await decisionOn(`${GUARD},coder:price`)).order).toEqual([GUARD, ...byPrice]);
  });

  test('OPS-36: tells agents that ask for it how long a conversation may be', async () => {
    expect(await entryOf('coder')).toMatchObject({ context_length: 131_072, max_output_length: 65_536 });
    expect((await entryOf('coder'))['supported_features']).toContain('tools');
  });
});

async function entryOf(alias: string): Promise<Record<string, unknown>> {
  return JSON.parse((await ask(router, `/v1/models/${alias}`)).text) as Record<string, unknown>;
}

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
    chutes.behave('unsloth/Llama-3.2-3B-Instruct', 'unavailable');
    expect(await answers('batch')).toBe('Qwen/Qwen2.5-Coder-32B-Instruct');
  });

  test('OPS-36: as batch:tee is the cheapest that is confidential', async () => {
    expect((await decisionOn('batch:tee')).order).toEqual([
      'deepseek-ai/DeepSeek-V3.2-TEE',
      'MiniMaxAI/MiniMax-M2.5-TEE',
    ]);
  });
});

describe('chat', () => {
  const FASTEST_FIRST = [
    // Known to write 30 tokens a second, the one whose first token comes soonest first.
    'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE',
    'MiniMaxAI/MiniMax-M2.5-TEE',
    'zai-org/GLM-5-TEE',
    // Not known to, though it begins sooner.
    'deepseek-ai/DeepSeek-V3.2-TEE',
    // Known not to, though it has the most room and begins the soonest.
    'moonshotai/Kimi-K2.5-TEE',
  ];

  test('OPS-36: is for models in trusted execution environments alone', async () => {
    const { order, out } = await decisionOn('chat');
    expect(new Set(order)).toEqual(new Set(TEE));
    expect(out.get('unsloth/Llama-3.2-3B-Instruct')).toBe('not_confidential');
  });

  test('OPS-36: goes to those known to write 30 tokens a second, and of these to the one that begins soonest', async () => {
    expect((await decisionOn('chat')).order).toEqual(FASTEST_FIRST);
    expect(await answers('chat')).toBe(FASTEST_FIRST[0]);
    for (const model of FASTEST_FIRST.slice(0, 4)) chutes.behave(model, 'unavailable');
    expect(await answers('chat')).toBe(FASTEST_FIRST[4]);
  });

  test('OPS-36: as chat:throughput goes to the one that writes fastest', async () => {
    expect((await decisionOn('chat:throughput')).order.slice(0, 3)).toEqual([
      'MiniMaxAI/MiniMax-M2.5-TEE',
      'Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8-TEE',
      'zai-org/GLM-5-TEE',
    ]);
  });
});

test.each(Object.entries(OTHER_EXAMPLES))('OPS-35: %s shows the aliases of the README', (_, example) => {
  const shown = example();
  const text = typeof shown === 'string' ? shown : JSON.stringify(shown);
  const { aliases, problems } = readAliases(text);
  expect(problems).toEqual([]);
  expect(Object.fromEntries(aliases)).toEqual(Object.fromEntries(readAliases(readmeAliases()).aliases));
  expect(aliases.size).toBe(3);
});
