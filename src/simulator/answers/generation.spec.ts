import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { complete } from '../../../test/support/ask.js';
import { ChutesSimulator } from '../chutes-simulator.js';

const MODEL = 'Qwen/Qwen3-32B';
let simulator: ChutesSimulator;

beforeEach(async () => {
  simulator = await ChutesSimulator.start();
});

afterEach(async () => simulator.close());

function client(): OpenAI {
  return new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: 'cpk_good', maxRetries: 0 });
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) {
    items.push(item);
  }
  return items;
}

describe('good answers', () => {
  const messages = [{ role: 'user' as const, content: 'Hello' }];

  test("SIM-10: OpenAI's client takes a chat completion, streamed the same as whole", async () => {
    const whole = await client().chat.completions.create({ model: MODEL, messages });
    const stream = await client().chat.completions.create({
      model: MODEL,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await all(stream);
    const content = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(content).toBe(whole.choices[0]?.message.content);
    expect(content).toContain(MODEL);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    expect(whole.id).toMatch(/^chatcmpl-[0-9a-f]{32}$/);
  });

  test("SIM-10: OpenAI's client takes a text completion, streamed the same as whole", async () => {
    const whole = await client().completions.create({ model: MODEL, prompt: 'Hello' });
    const stream = await client().completions.create({ model: MODEL, prompt: 'Hello', stream: true });
    const chunks = await all(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.text).join('')).toBe(whole.choices[0]?.text);
  });

  test('SIM-10: max_tokens shortens the answer', async () => {
    const short = await client().chat.completions.create({ model: MODEL, messages, max_tokens: 3 });
    expect([short.choices[0]?.finish_reason, short.usage?.completion_tokens]).toEqual(['length', 3]);
  });

  test("SIM-13: carry Chutes' headers, with an invocation id of their own", async () => {
    const [one, other] = [
      await complete(simulator, { model: MODEL }),
      await complete(simulator, { model: MODEL, stream: true }),
    ];
    for (const name of [
      'quota-total',
      'quota-used',
      'quota-remaining',
      'rl-user',
      'rl-chute',
      'invoice-billing',
    ]) {
      expect(one.headers.get(`x-chutes-${name}`)).toEqual(expect.any(String));
      expect(other.headers.get(`x-chutes-${name}`)).toEqual(expect.any(String));
    }
    expect(one.headers.get('x-chutes-invocationid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(one.headers.get('x-chutes-invocationid')).not.toBe(other.headers.get('x-chutes-invocationid'));
  });

  test("SIM-15: Chutes' own spellings of model are understood", async () => {
    for (const model of [`${MODEL}:latency`, ` ${MODEL} ,x`, `nobody/knows,${MODEL}`]) {
      // oxlint-disable-next-line no-await-in-loop -- the order of the requests is compared below
      expect(JSON.parse((await complete(simulator, { model })).text)).toMatchObject({ model: MODEL });
    }
    expect(simulator.generations.map(({ model }) => model)).toEqual([
      `${MODEL}:latency`,
      ` ${MODEL} ,x`,
      `nobody/knows,${MODEL}`,
    ]);
  });
});

describe('pace', () => {
  const PACE = { firstTokenMs: 60, tokenMs: 10, tokens: 5 } as const;

  test('SIM-12: a stream sends headers with its first token, then token by token', async () => {
    simulator.behave(MODEL, { kind: 'normal', ...PACE, tokenMs: 1_000, tokens: 2 });
    const startedAtMs = performance.now();
    const response = await fetch(`${simulator.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: MODEL, stream: true }),
    });
    const headersMs = performance.now() - startedAtMs;
    const reader = response.body?.getReader();
    await reader?.read();
    const firstMs = performance.now() - startedAtMs;
    while (!(await reader?.read())?.done);
    const allMs = performance.now() - startedAtMs;
    expect(headersMs).toBeGreaterThan(58);
    // A busy machine may read late, but not by as much as the next token takes.
    expect(firstMs - headersMs).toBeLessThan(900);
    expect(allMs - headersMs).toBeGreaterThan(990);
  });

  test('SIM-12: any other answer sends nothing before all of it is there', async () => {
    simulator.behave(MODEL, { kind: 'normal', ...PACE });
    const startedAtMs = performance.now();
    const response = await fetch(`${simulator.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: MODEL }),
    });
    expect(performance.now() - startedAtMs).toBeGreaterThan(98);
    expect(await response.json()).toMatchObject({ usage: { completion_tokens: 5 } });
  });

  test('SIM-12: can be set for all models', async () => {
    const slow = await ChutesSimulator.start({ pace: PACE });
    const startedAtMs = performance.now();
    await fetch(`${slow.url}/v1/completions`, { method: 'POST', body: JSON.stringify({ model: MODEL }) });
    expect(performance.now() - startedAtMs).toBeGreaterThan(98);
    await slow.close();
  });

  test('SIM-25: without a pace there is no timer and no waiting between tokens', async () => {
    await complete(simulator, { model: MODEL });
    const times: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const startedAtMs = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other, each with the machine to itself
      await complete(simulator, { model: MODEL, stream: true });
      times.push(performance.now() - startedAtMs);
    }
    // The sixty tokens of an answer would take 60 ms with a timer each, however fast the machine.
    expect(Math.min(...times)).toBeLessThan(30);
  });
});
