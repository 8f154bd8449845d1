import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, { NotFoundError } from 'openai';
import { ChutesSimulator } from '../src/demo/chutes-simulator.js';
import { startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const [FIRST, SECOND] = ['zai-org/GLM-5-TEE', 'Qwen/Qwen3-32B'] as const;
const messages = [{ role: 'user' as const, content: 'Hello' }];

let chutes: ChutesSimulator;
let router: TestRouter;
let client: OpenAI;
let clients = 0;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = [SECOND, FIRST];
  chutes.utilization = [
    { name: FIRST, active_instance_count: 9, utilization_current: 0.1 },
    { name: SECOND, active_instance_count: 1, utilization_current: 0.9 },
  ];
  router = await startRouter(chutes);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

beforeEach(() => {
  clients += 1;
  client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: `cpk_${clients}` });
});

afterEach(() => {
  for (const model of [FIRST, SECOND]) chutes.behave(model, 'normal', { times: 0 });
});

describe('answers', () => {
  test.each([
    ['an alias', ALIAS, FIRST],
    ['a list', `${SECOND},${FIRST}`, SECOND],
    ['a direct model', SECOND, SECOND],
  ])('RTE-1, SEL-6, SEL-10, SEL-13: a chat with %s', async (_, model, answeredBy) => {
    const answer = await client.chat.completions.create({ model, messages });
    expect(answer).toMatchObject({ object: 'chat.completion', model: answeredBy });
    expect(answer.choices[0]?.message.content).toContain(answeredBy);
    expect(answer.usage?.total_tokens).toBeGreaterThan(0);
    const request = await chutes.nextRequest();
    expect(request.headers.authorization).toBe(`Bearer cpk_${clients}`);
    expect(JSON.parse(request.body.toString())).toEqual({ model: answeredBy, messages });
  });

  test.each([ALIAS, `${SECOND},${FIRST}`, SECOND])('RTE-1: a streamed chat with %s', async (model) => {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    const answeredBy = (await chutes.nextRequest()).model ?? '';
    expect(text).toContain(answeredBy);
    expect(chunks.map(({ model: name }) => name)).toEqual(chunks.map(() => answeredBy));
    expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(0);
  });

  test('RTE-1, ATT-10: a list whose first model is down, streamed', async () => {
    chutes.behave(SECOND, 'unavailable', { times: 1 });
    const { data, response } = await client.chat.completions
      .create({ model: `${SECOND},${FIRST}`, messages, stream: true })
      .withResponse();
    const chunks = await Array.fromAsync(data);
    expect(chunks[0]?.model).toBe(FIRST);
    expect(response.headers.get('x-chutes-autopilot-attempts')).toBe('2');
    for (const model of [SECOND, FIRST]) expect((await chutes.nextRequest()).model).toBe(model);
  });

  test('RTE-2: a completion, streamed and not', async () => {
    const answer = await client.completions.create({ model: ALIAS, prompt: 'Hello' });
    expect(answer).toMatchObject({ object: 'text_completion', model: FIRST });
    const stream = await client.completions.create({ model: ALIAS, prompt: 'Hello', stream: true });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(answer.choices[0]?.text);
    const paths = [await chutes.nextRequest(), await chutes.nextRequest()].map(({ path }) => path);
    expect(paths).toEqual(['/v1/completions', '/v1/completions']);
  });

  test('RTE-1, REQ-12: tools go there and calls of them come back', async () => {
    const call = {
      id: 'call_1',
      type: 'function' as const,
      function: { name: 'add', arguments: '{"a":1.0}' },
    };
    chutes.behave(
      FIRST,
      {
        kind: 'status',
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          id: 'x',
          object: 'chat.completion',
          created: 1,
          model: FIRST,
          choices: [
            {
              index: 0,
              finish_reason: 'tool_calls',
              message: { role: 'assistant', content: null, tool_calls: [call] },
            },
          ],
        }),
      },
      { times: 1 },
    );
    const parameters = { type: 'object', properties: { a: { type: 'number' } } };
    const tools = [{ type: 'function' as const, function: { name: 'add', parameters } }];
    const { choices } = await client.chat.completions.create({ model: ALIAS, messages, tools });
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [call] } });
    const request = await chutes.nextRequest();
    expect(JSON.parse(request.body.toString())).toEqual({ model: FIRST, messages, tools });
  });
});

describe('the catalog', () => {
  test('RTE-4: is listed, the aliases first', async () => {
    const models = await Array.fromAsync(client.models.list());
    expect(models.map(({ id }) => id)).toEqual([ALIAS, 'chutesai-routing/AutoPilot', SECOND, FIRST]);
    expect(models[0]?.owned_by).toBe('chutes-autopilot');
  });

  test.each([ALIAS, FIRST])('RTE-6: has an entry for %s', async (id) => {
    expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
  });

  test('RTE-7: has none for others', async () => {
    const error = await client.models.retrieve('nobody/at-all').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' });
  });
});
