import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, { NotFoundError } from 'openai';
import { ADD, CALL, saying } from './support/chat-answers.js';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';

const messages = [{ role: 'user' as const, content: 'Hello' }];

let stage: ClientStage;
let client: OpenAI;

beforeEach(async () => {
  stage = await ClientStage.set();
  client = new OpenAI({ baseURL: stage.baseURL, apiKey: KEY });
});

afterEach(async () => stage.clear());

describe('answers', () => {
  test.each([
    ['SEL-6', 'an alias', ALIAS, FIRST],
    ['SEL-10', 'a list', `${SECOND},${FIRST}`, SECOND],
    ['SEL-13', 'a direct model', SECOND, SECOND],
  ])('%s, RTE-21: a chat with %s', async (_clause, _, model, answeredBy) => {
    const answer = await client.chat.completions.create({ model, messages });
    expect(answer).toMatchObject({ object: 'chat.completion', model: answeredBy });
    expect(answer.choices[0]?.message.content).toContain(answeredBy);
    expect(answer.usage?.total_tokens).toBeGreaterThan(0);
    const { request, body } = await stage.next();
    expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toEqual({ model: answeredBy, messages });
  });

  test.each([ALIAS, `${SECOND},${FIRST}`, SECOND])(
    'RTE-1, RTE-21: a streamed chat with %s',
    async (model) => {
      const stream = await client.chat.completions.create({
        model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = await Array.fromAsync(stream);
      const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
      const [answeredBy = ''] = stage.models;
      expect(text).toContain(answeredBy);
      expect(chunks.map(({ model: name }) => name)).toEqual(chunks.map(() => answeredBy));
      expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(0);
    },
  );

  test('RTE-21, ATT-10: a list whose first model is down, streamed', async () => {
    stage.chutes.behave(SECOND, 'unavailable');
    const { data, response } = await client.chat.completions
      .create({ model: `${SECOND},${FIRST}`, messages, stream: true })
      .withResponse();
    const chunks = await Array.fromAsync(data);
    expect(chunks[0]?.model).toBe(FIRST);
    expect(response.headers.get('x-chutes-autopilot-attempts')).toBe('2');
    expect(stage.models).toEqual([SECOND, FIRST]);
  });

  test('RTE-2, RTE-21: a completion, streamed and not', async () => {
    const answer = await client.completions.create({ model: ALIAS, prompt: 'Hello' });
    expect(answer).toMatchObject({ object: 'text_completion', model: FIRST });
    const stream = await client.completions.create({ model: ALIAS, prompt: 'Hello', stream: true });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(answer.choices[0]?.text);
    const paths = stage.chutes.generations.map(({ path }) => path);
    expect(paths).toEqual(['/v1/completions', '/v1/completions']);
  });

  test('RTE-21, REQ-12: tools go there and calls of them come back', async () => {
    stage.chutes.behave(FIRST, saying({ content: null, tool_calls: [CALL] }));
    const tools = [{ type: 'function' as const, function: { name: 'add', parameters: ADD } }];
    const { choices } = await client.chat.completions.create({ model: ALIAS, messages, tools });
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [CALL] } });
    expect((await stage.next()).body).toEqual({ model: FIRST, messages, tools });
  });
});

describe('the catalog', () => {
  test('RTE-4, RTE-21: is listed, the aliases first', async () => {
    const models = await Array.fromAsync(client.models.list());
    expect(models.map(({ id }) => id)).toEqual([ALIAS, 'chutesai-routing/AutoPilot', SECOND, FIRST]);
    expect(models[0]?.owned_by).toBe('chutes-autopilot');
  });

  test.each([ALIAS, FIRST])('RTE-6, RTE-21: has an entry for %s', async (id) => {
    expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
  });

  test('RTE-7, RTE-21: has none for others', async () => {
    const error = await client.models.retrieve('nobody/at-all').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' });
  });
});
