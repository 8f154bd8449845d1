import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import OpenAI, { APIError } from 'openai';
import { CatalogService } from '../src/catalog/catalog.service.js';
import { readModelList } from '../src/catalog/model-list.js';
import { readUtilization } from '../src/catalog/utilization-feed.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete, errorOf } from './support/ask.js';
import { metricsOf } from './support/metrics.js';
import { startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const FEEDS_ONCE = { UTILIZATION_REFRESH_MS: '3600000', MODELS_REFRESH_MS: '3600000' };

/** What a model says of itself; what it does not say is `undefined`. */
interface Model {
  readonly id: string;
  readonly supported_features?: string[] | undefined;
  readonly input_modalities?: string[] | undefined;
  readonly context_length?: number | undefined;
  readonly max_model_len?: number | undefined;
  readonly confidential_compute?: boolean | undefined;
  readonly instances: number;
}

const subset = (...names: string[]) => fc.option(fc.subarray(names), { nil: undefined });
const length = fc.option(fc.constantFrom(4_096, 8_192, 40_960, 131_072), { nil: undefined });
const anyModel = fc.record({
  supported_features: subset('tools', 'json_mode', 'structured_outputs', 'structured_output', 'reasoning'),
  input_modalities: subset('text', 'image', 'video'),
  context_length: length,
  max_model_len: length,
  confidential_compute: fc.constantFrom(true, false, undefined),
  instances: fc.integer({ min: 0, max: 9 }),
});
const anyCatalog = fc
  .array(anyModel, { minLength: 1, maxLength: 8 })
  .map((models) => models.map((model, i): Model => ({ ...model, id: `m/${i}` })));

const TOOL = {
  type: 'function' as const,
  function: { name: 'now', parameters: { type: 'object' as const } },
};
const PICTURE = `data:image/png;base64,${'A'.repeat(90_000)}`;
const SCHEMA = { type: 'json_schema' as const, json_schema: { name: 'answer', schema: { type: 'object' } } };
const user = (content: string) => [{ role: 'user' as const, content }];

/** Requests, each with who surely can and who surely cannot answer it, told from the catalog by other means than the router's. */
const REQUESTS: readonly {
  readonly name: string;
  readonly body: object;
  readonly headers?: Record<string, string>;
  readonly can: (model: Model) => 'yes' | 'no' | 'unknown';
}[] = [
  {
    name: 'a tool call',
    body: { messages: user('Hi'), tools: [TOOL] },
    can: (it) => has(it.supported_features, 'tools'),
  },
  {
    name: 'a picture',
    body: {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: PICTURE } }] }],
    },
    can: (it) => has(it.input_modalities, 'image'),
  },
  {
    name: 'a schema',
    body: { messages: user('Hi'), response_format: SCHEMA },
    can: (it) => has(it.supported_features, 'structured_outputs', 'structured_output'),
  },
  {
    name: 'JSON',
    body: { messages: user('Hi'), response_format: { type: 'json_object' } },
    can: (it) => has(it.supported_features, 'json_mode', 'structured_outputs', 'structured_output'),
  },
  {
    name: 'a long prompt',
    body: { messages: user('word '.repeat(100_000)) },
    can: (it) => {
      const lengths = [it.context_length, it.max_model_len].filter((tokens) => tokens !== undefined);
      if (lengths.length === 0) return 'unknown';
      // Half a million bytes are 50,000 tokens at the least and 170,000 at the most.
      return Math.min(...lengths) < 50_000 ? 'no' : 'unknown';
    },
  },
  {
    name: 'confidentiality',
    body: { messages: user('Hi') },
    headers: { 'X-TEE-Only': 'true' },
    can: (it) => (it.confidential_compute === true ? 'yes' : 'no'),
  },
  { name: 'nothing', body: { messages: user('Hi') }, can: () => 'yes' },
];

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  router = await startRouter(chutes, FEEDS_ONCE);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

describe('with the official client, over a hundred random catalogs', () => {
  test('SEL-28, REQ-16: each request reaches only models that can', async () => {
    const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'cpk_test', maxRetries: 0 });
    const seen = new Set<string>();
    let sessions = 0;
    await fc.assert(
      fc.asyncProperty(anyCatalog, async (catalog) => {
        give(router, catalog);
        for (const { name, body, headers = {}, can } of REQUESTS) {
          const running = catalog.filter(({ instances }) => instances > 0);
          const verdicts = new Set(running.map(can));
          const before = chutes.count();
          const answer = await client.chat.completions
            .create({ model: ALIAS, ...body } as OpenAI.ChatCompletionCreateParamsNonStreaming, {
              // A client of its own each time, whom no pin leads.
              headers: { ...headers, 'x-session-id': `${sessions++}` },
            })
            .withResponse()
            .catch((error: unknown) => error as APIError);
          const isAnswered = !(answer instanceof APIError);
          const model = isAnswered && selectedIn(catalog, answer.response.headers);
          const outcome = isAnswered ? model && can(model) : answer.code;
          const best = (['yes', 'unknown'] as const).find((verdict) => verdicts.has(verdict));
          expect(outcome).toBe(best ?? (running.length === 0 ? 'no_candidates' : 'no_capable_model'));
          expect(chutes.count() - before).toBe(isAnswered ? 1 : 0);
          seen.add(`${name} ${isAnswered ? 'answered' : answer.code}`);
        }
      }),
      { numRuns: 100 },
    );
    expect(seen).toContain('a picture answered');
    expect(seen).toContain('a picture no_capable_model');
  }, 120_000);
});

describe('what is left as it was', () => {
  test('SEL-28: a request that needs nothing goes where it went before, and its body is the client’s but for the model', async () => {
    give(router, [
      { id: 'm/best', supported_features: [], input_modalities: [], instances: 9 },
      { id: 'm/next', instances: 3 },
    ]);
    const answer = await complete(router, `{"messages" : [],\n"max_tokens":1e2,"model":"${ALIAS}","x":1.0}`);
    expect(answer.headers.get('x-chutes-autopilot-selected')).toBe('m/best');
    expect(chutes.generations.at(-1)?.body.toString()).toBe(
      '{"messages" : [],\n"max_tokens":1e2,"model":"m/best","x":1.0}',
    );
  });

  test('SEL-32, CFG-55: CAPABILITY_ROUTING=false sends it there whatever it needs, tee excepted', async () => {
    const own = await startRouter(chutes, { ...FEEDS_ONCE, CAPABILITY_ROUTING: 'false' });
    give(own, [
      { id: 'm/best', supported_features: [], confidential_compute: false, instances: 9 },
      { id: 'm/next', supported_features: ['tools'], confidential_compute: true, instances: 3 },
    ]);
    const body = { model: ALIAS, messages: [], tools: [TOOL] };
    expect((await complete(own, body)).headers.get('x-chutes-autopilot-selected')).toBe('m/best');
    const tee = await complete(own, body, {
      headers: { 'x-tee-only': 'TRUE', authorization: 'Bearer other' },
    });
    expect(tee.headers.get('x-chutes-autopilot-selected')).toBe('m/next');
    expect(own.requestLogs.map(({ needs }) => needs)).toEqual([['tools'], ['tools', 'tee']]);
    await own.close();
  });
});

describe('pins', () => {
  test('SEL-33: a pin on a model that cannot does not apply, and stays', async () => {
    give(router, [
      { id: 'm/blind', input_modalities: ['text'], instances: 9 },
      { id: 'm/sees', input_modalities: ['text', 'image'], instances: 3 },
    ]);
    const headers = { authorization: 'Bearer cpk_pins' };
    const selected = async (body: object) =>
      (await complete(router, { model: ALIAS, ...body }, { headers })).headers.get(
        'x-chutes-autopilot-selected',
      );
    expect(await selected({ messages: user('Hi') })).toBe('m/blind');
    const picture = REQUESTS.find(({ name }) => name === 'a picture')?.body ?? {};
    const decision = await dryRun(router, { model: ALIAS, ...picture }, headers);
    expect(decision['pin']).toEqual({ model: 'm/blind', applies: false });
    expect(await selected(picture)).toBe('m/sees');
  });
});

describe('excluded_total', () => {
  test('OBS-43: counts who could not have answered, by reason', async () => {
    const own = await startRouter(chutes, FEEDS_ONCE);
    give(own, [
      { id: 'm/able', supported_features: ['tools'], instances: 9 },
      { id: 'm/plain', supported_features: [], instances: 3 },
      { id: 'm/bare', supported_features: [], instances: 2 },
    ]);
    for (const model of [ALIAS, ALIAS, 'm/plain,m/able', 'm/plain']) {
      await complete(own, { model, messages: [], tools: [TOOL] });
    }
    expect((await metricsOf(own)).value('excluded_total', { reason: 'lacks_tools' })).toBe(5);
    await own.close();
  });
});

describe('REQUIRE_TEE', () => {
  test('SEL-31, CFG-55: nothing reaches a model that is not known as confidential', async () => {
    const own = await startRouter(chutes, { ...FEEDS_ONCE, REQUIRE_TEE: 'true' });
    give(own, [
      { id: 'm/open', confidential_compute: false, instances: 9 },
      { id: 'm/safe', confidential_compute: true, instances: 3 },
    ]);
    for (const model of [ALIAS, 'm/open,m/safe', 'm/safe']) {
      expect((await complete(own, { model, messages: [] })).status).toBe(200);
      expect(JSON.parse(chutes.generations.at(-1)?.body.toString() ?? '')).toMatchObject({ model: 'm/safe' });
    }
    expect(errorOf(await complete(own, { model: 'm/open', messages: [] })).code).toBe('not_confidential');
    await own.close();
  });
});

describe('a dry run', () => {
  beforeAll(() => {
    give(router, [
      { id: 'm/best', supported_features: ['tools'], context_length: 8_192, instances: 9 },
      { id: 'm/next', supported_features: [], instances: 3 },
      { id: 'm/idle', instances: 0 },
      { id: 'm/vague', instances: 1 },
    ]);
  });

  test('SEL-34: tells what would be chosen and why, and sends nothing', async () => {
    const before = chutes.count();
    const headers = { authorization: 'Bearer cpk_new' };
    const decision = await dryRun(
      router,
      { model: ALIAS, messages: [], tools: [TOOL], max_tokens: 7 },
      headers,
    );
    expect(chutes.count()).toBe(before);
    expect(decision).toMatchObject({
      object: 'autopilot.decision',
      mode: 'alias',
      alias: ALIAS,
      sort: 'capacity',
      variants: [],
      needs: { tools: true, answer_tokens: 7 },
      pin: null,
      candidates: [
        { model: 'm/best', why: 'ranked', score: 9 },
        { model: 'm/vague', why: 'unknown_tools', score: 1 },
      ],
      excluded: [
        { model: 'm/next', why: 'lacks_tools' },
        { model: 'm/idle', why: 'no_instance' },
      ],
    });
    expect(Object.keys(decision['feeds'] as object)).toEqual(['models', 'utilization', 'stats']);
    expect(new Date(decision['at'] as string).getTime()).toBeGreaterThan(0);
  });

  test.each([
    ['alias', ALIAS],
    ['list', 'm/next,m/best'],
    ['direct', 'm/next'],
  ])('SEL-34: is what then happens: %s', async (mode, model) => {
    const body = { model, messages: [], tools: [TOOL] };
    const { id, candidates } = await dryRun(router, body);
    const first = (candidates as { model: string }[])[0]?.model;
    await complete(router, body);
    expect(JSON.parse(chutes.generations.at(-1)?.body.toString() ?? '')).toMatchObject({ model: first });
    const lines = router.requestLogs.filter(({ req_id }) => req_id === id);
    expect(lines).toMatchObject([{ mode, dry_run: true, status: 200, attempts: 0, needs: ['tools'] }]);
  });

  test('SEL-34: sets and renews no pin', async () => {
    const headers = { authorization: 'Bearer cpk_dry' };
    await dryRun(router, { model: ALIAS, messages: [] }, headers);
    expect((await dryRun(router, { model: ALIAS, messages: [] }, headers))['pin']).toBeNull();
    await complete(router, { model: ALIAS, messages: [] }, { headers });
    expect((await dryRun(router, { model: ALIAS, messages: [] }, headers))['pin']).toEqual({
      model: 'm/best',
      applies: true,
    });
  });

  test.each<[string, string, Record<string, string>?]>([
    ['invalid_json', '{'],
    ['unknown_model', '{"model":"nobody"}'],
    ['no_capable_model', `{"model":"${ALIAS}"}`, { 'x-tee-only': 'true' }],
  ])('SEL-34: refusals come as they would: %s', async (code, body, headers = {}) => {
    const answer = await complete(router, body, {
      headers: { ...headers, 'x-chutes-autopilot-dry-run': 'true' },
    });
    expect(errorOf(answer).code).toBe(code);
  });

  test('SEL-35: holds nothing of the body, the client or its session', async () => {
    const secrets = ['cpk_secret', 'session-secret', 'prompt-secret', 'user-secret'];
    const [token, session, prompt, name] = secrets;
    const headers = { authorization: `Bearer ${token}`, 'x-session-id': `${session}` };
    const body = { model: ALIAS, messages: user(`${prompt}`), user: name };
    const text = JSON.stringify(await dryRun(router, body, headers));
    for (const secret of [...secrets, '127.0.0.1']) expect(text).not.toContain(secret);
  });
});

async function dryRun(
  of: TestRouter,
  body: object,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const answer = await complete(of, JSON.stringify(body), {
    headers: { ...headers, 'x-chutes-autopilot-dry-run': 'true' },
  });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as Record<string, unknown>;
}

function selectedIn(catalog: readonly Model[], headers: Headers): Model | undefined {
  const selected = headers.get('x-chutes-autopilot-selected');
  return catalog.find(({ id }) => id === selected);
}

function has(names: readonly string[] | undefined, ...wanted: string[]): 'yes' | 'no' | 'unknown' {
  if (names === undefined) return 'unknown';
  return wanted.some((name) => names.includes(name)) ? 'yes' : 'no';
}

/** In place of what the feeds said. */
function give({ app }: TestRouter, models: readonly Model[]): void {
  // To the simulated Chutes they are models that can do all, so that what is refused is refused by the router.
  chutes.models = models.map(({ id }) => ({ id, confidential_compute: true }));
  chutes.utilization = models.map(({ id }) => ({ name: id, active_instance_count: 1 }));
  const data = models.map((model) => ({ ...model, instances: undefined }));
  const rows = models.map(({ id, instances }) => ({
    name: id,
    active_instance_count: instances,
    utilization_5m: 0,
  }));
  const catalog = app.get(CatalogService);
  const list = readModelList({ data })?.list;
  const usage = readUtilization(rows)?.rows;
  if (!list || !usage) throw new Error('These are no feeds.');
  const now = performance.now();
  catalog.apply('utilization', { kind: 'ok', value: usage }, now);
  catalog.apply('models', { kind: 'ok', value: list }, now);
}
