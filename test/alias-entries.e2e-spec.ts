import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { ask, complete } from './support/ask.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

const ALIASES = {
  auto: {},
  private: { tee: true },
  coder: { models: ['m/long', 'm/tools', 'm/tee-TEE'], features: ['tools'] },
  nobody: { models: ['n/*'] },
};

const LONG = modelEntry('m/long', {
  context_length: 1_048_576,
  max_model_len: 1_048_576,
  max_output_length: 4_096,
  supported_features: ['reasoning'],
});
const TOOLS = modelEntry('m/tools', { context_length: 65_536, max_output_length: 65_536 });
const TEE = modelEntry('m/tee-TEE', {
  context_length: 32_768,
  max_output_length: 8_192,
  input_modalities: ['text', 'image'],
  supported_features: ['json_mode'],
});
const OTHER = { id: 'm/other' };

let chutes: ChutesSimulator;
const routers: TestRouter[] = [];

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
});

afterEach(async () => {
  await Promise.all(routers.splice(0).map((router) => router.close()));
});

afterAll(async () => {
  await chutes.close();
});

async function start(env: Env = {}): Promise<TestRouter> {
  chutes.models = [LONG, TOOLS, TEE, OTHER];
  chutes.utilization = ['m/long', 'm/tools', 'm/tee-TEE', 'm/other'];
  const router = await startRouter(chutes, {
    AUTOPILOT_ALIASES: JSON.stringify(ALIASES),
    UTILIZATION_REFRESH_MS: '20',
    MODELS_REFRESH_MS: '20',
    ...env,
  });
  routers.push(router);
  return router;
}

async function entryOf(router: TestRouter, alias: string): Promise<Record<string, unknown>> {
  return JSON.parse((await ask(router, `/v1/models/${alias}`)).text) as Record<string, unknown>;
}

test('POL-17, POL-18: an alias tells what those of its models can that may answer', async () => {
  const router = await start();
  expect(await entryOf(router, 'auto')).toEqual({
    id: 'auto',
    object: 'model',
    created: 0,
    owned_by: 'chutes-autopilot',
    context_length: 1_048_576,
    max_output_length: 65_536,
    input_modalities: ['image', 'text'],
    supported_features: ['json_mode', 'reasoning', 'structured_outputs', 'tools'],
  });
  expect(await entryOf(router, 'private')).toMatchObject({
    context_length: 32_768,
    max_output_length: 8_192,
    supported_features: ['json_mode'],
  });
  expect(await entryOf(router, 'coder')).toMatchObject({
    context_length: 65_536,
    max_output_length: 65_536,
    input_modalities: ['text'],
    supported_features: ['json_mode', 'structured_outputs', 'tools'],
  });
  expect(Object.keys(await entryOf(router, 'nobody'))).toEqual(['id', 'object', 'created', 'owned_by']);
});

test('POL-17: clients find it in the list, beside the models’ own entries', async () => {
  const router = await start();
  const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'cpk_x', maxRetries: 0 });
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toEqual([
    ...Object.keys(ALIASES),
    ...[LONG, TOOLS, TEE, OTHER].map(({ id }) => id),
  ]);
  for (const alias of Object.keys(ALIASES)) {
    expect(data.find(({ id }) => id === alias)).toEqual(await entryOf(router, alias));
  }
});

test('POL-18: with REQUIRE_TEE only confidential models count', async () => {
  const router = await start({ REQUIRE_TEE: 'true' });
  expect(await entryOf(router, 'auto')).toEqual({
    ...(await entryOf(router, 'private')),
    id: 'auto',
  });
});

test('POL-17, RTE-28: it follows who runs, and its tag stays while what it says does', async () => {
  const router = await start();
  const before = await ask(router, '/v1/models');
  const refreshed = chutes.count('/chutes/utilization') + 2;
  // The same models, in another order of capacity.
  chutes.utilization = ['m/other', 'm/tee-TEE', 'm/tools', { name: 'm/long', active_instance_count: 99 }];
  await eventually(() => chutes.count('/chutes/utilization') > refreshed);
  const tag = before.headers.get('etag') ?? '';
  expect((await ask(router, '/v1/models', { headers: { 'if-none-match': tag } })).status).toBe(304);

  chutes.utilization = ['m/tools', 'm/other'];
  await eventually(async () => (await entryOf(router, 'auto'))['context_length'] === 65_536);
  expect((await ask(router, '/v1/models', { headers: { 'if-none-match': tag } })).status).toBe(200);
  expect(Object.keys(await entryOf(router, 'private'))).toHaveLength(4);
});

test('POL-19: a request that stays within what an alias tells finds somebody who can', async () => {
  const router = await start();
  const tools = [{ type: 'function', function: { name: 'now', parameters: { type: 'object' } } }];
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  const needs: Readonly<Record<string, object>> = {
    tools: { tools },
    json_mode: { response_format: { type: 'json_object' } },
    structured_outputs: {
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
    },
    image: { messages: [{ role: 'user', content: [image] }] },
  };
  const messages = [{ role: 'user', content: 'Hi' }];
  for (const alias of ['auto', 'private', 'coder']) {
    const entry = await entryOf(router, alias);
    const can = new Set([entry['supported_features'], entry['input_modalities']].flat());
    for (const [need, fields] of Object.entries(needs)) {
      const { status } = await complete(router, { model: alias, messages, ...fields });
      // OTHER, of which nothing is known, may answer for the one that takes any model.
      expect([need, status]).toEqual([need, can.has(need) || alias === 'auto' ? 200 : 400]);
    }
    const longest = (entry['context_length'] as number) - 100;
    expect((await complete(router, { model: alias, messages, max_tokens: longest })).status).toBe(200);
    const tooLong = await complete(router, { model: alias, messages, max_tokens: longest + 1_000 });
    expect(tooLong.status).toBe(alias === 'auto' ? 200 : 400);
  }
});
