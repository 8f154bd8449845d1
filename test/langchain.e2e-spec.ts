import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { concat } from '@langchain/core/utils/stream';
import { ChatOpenAI, type ChatOpenAIFields } from '@langchain/openai';
import { APIError, AuthenticationError, BadRequestError, InternalServerError, RateLimitError } from 'openai';
import type { NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { ADD, CALL, saying, streaming } from './support/chat-answers.js';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';
import { failureOf, thrownBy } from './support/failure-of.js';

const LIST = `${SECOND},${FIRST}`;
const PROMPT = 'Hello';

let stage: ClientStage;

beforeEach(async () => {
  stage = await ClientStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '300', UPSTREAM_PATIENT_TIMEOUT_MS: '1000' });
});

afterEach(async () => stage.clear());

/** Tries once, unless told otherwise. */
function chat(model: string, fields: ChatOpenAIFields = {}): ChatOpenAI {
  const configuration = { baseURL: stage.baseURL };
  return new ChatOpenAI({ model, apiKey: KEY, configuration, maxRetries: 0, ...fields });
}

const add = tool(() => 3, { name: 'add', description: 'adds', schema: ADD });

describe('invoke', () => {
  test.each([
    ['an alias', ALIAS, FIRST],
    ['a list', LIST, SECOND],
    ['a direct model', SECOND, SECOND],
  ])('RTE-1, RTE-21: with %s', async (_, model, answeredBy) => {
    const answer = await chat(model).invoke([new HumanMessage(PROMPT)]);
    expect(answer.text).toContain(answeredBy);
    expect(answer.response_metadata).toMatchObject({ finish_reason: 'stop', model_name: answeredBy });
    expect(answer).toHaveProperty('usage_metadata.output_tokens', expect.any(Number));
    const { request, body } = await stage.next();
    expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toEqual({
      model: answeredBy,
      stream: false,
      messages: [{ role: 'user', content: PROMPT }],
    });
  });

  test('RTE-21, ATT-10: with a list whose first model is down', async () => {
    stage.chutes.behave(SECOND, 'unavailable');
    expect((await chat(LIST).invoke(PROMPT)).text).toContain(FIRST);
    expect(stage.models).toEqual([SECOND, FIRST]);
  });
});

describe('stream', () => {
  test.each([
    [ALIAS, FIRST],
    [LIST, SECOND],
  ])('RTE-1, RTE-21: with %s', async (model, answeredBy) => {
    const chunks = await Array.fromAsync(await chat(model).stream(PROMPT));
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks.map(({ text }) => text).join('')).toContain(answeredBy);
    expect(chunks.reduce(concat)).toHaveProperty('usage_metadata.output_tokens', expect.any(Number));
  });

  test.each<[string, NamedKind, string]>([
    ['ATT-35', 'cut-stream', 'upstream_stream_interrupted'],
    ['ATT-35', 'stall', 'upstream_idle_timeout'],
    ['ATT-38', 'unframed-error', 'upstream_stream_interrupted'],
  ])('%s, RTE-21: that breaks throws after what had come: %s', async (_clause, kind, code) => {
    stage.chutes.behave(FIRST, kind);
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const { text } of await chat(ALIAS, { maxRetries: 2 }).stream(PROMPT)) chunks.push(text);
    })();
    expect(await failureOf(reading, APIError)).toMatchObject({ code, type: 'server_error' });
    expect(chunks.join('')).not.toBe('');
    expect(stage.models).toEqual([FIRST]);
  });
});

describe('tools', () => {
  test('RTE-1, RTE-21: go there, calls of them come back, and what they say goes on', async () => {
    stage.chutes.behave(FIRST, saying({ content: null, tool_calls: [CALL] }), { times: 1 });
    const model = chat(ALIAS).bindTools([add]);
    const question = new HumanMessage(PROMPT);
    const answer = await model.invoke([question]);
    const [call] = answer.tool_calls ?? [];
    expect(call).toMatchObject({ id: CALL.id, name: 'add', args: { a: 1, b: 2 } });
    expect((await stage.next()).body['tools']).toMatchObject([
      { type: 'function', function: { name: 'add' } },
    ]);

    const result = new ToolMessage({ tool_call_id: CALL.id, content: '3' });
    expect((await model.invoke([question, answer, result])).text).toContain(FIRST);
    const messages = (await stage.next()).body['messages'] as unknown[];
    expect(messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: CALL.id, content: '3' });
  });

  test('RTE-1, RTE-21: are called in a stream, too', async () => {
    stage.chutes.behave(FIRST, streaming({ tool_calls: [{ ...CALL, index: 0 }] }));
    const chunks = await Array.fromAsync(await chat(ALIAS).bindTools([add]).stream(PROMPT));
    const whole = chunks.reduce(concat);
    expect(whole.tool_calls).toMatchObject([{ id: CALL.id, name: 'add', args: { a: 1, b: 2 } }]);
  });
});

describe('errors', () => {
  test('SEL-14, RTE-21: of the router have class, status, code and parameter', async () => {
    const error = await failureOf(chat('nobody').invoke(PROMPT), BadRequestError);
    expect(error).toMatchObject({ status: 400, code: 'unknown_model', param: 'model' });
    expect(error.message).toContain('Not in the model catalog: "nobody"');
  });

  test.each([
    ['ATT-14', 'unauthorized' as const, 401, AuthenticationError],
    ['ATT-13', 'rate-limited' as const, 429, RateLimitError],
    ['ATT-14', 'internal-error' as const, 500, InternalServerError],
  ])('%s, RTE-21: of the upstream have class and status: %s', async (_clause, kind, status, kindOfError) => {
    stage.chutes.behave(FIRST, kind);
    expect(await failureOf<APIError>(chat(ALIAS).invoke(PROMPT), kindOfError)).toMatchObject({ status });
    expect(stage.models).toEqual([FIRST]);
  });

  test.each<NamedKind>(['cut-stream', 'truncated', 'stall'])(
    'ATT-34, RTE-21: an answer in one piece that breaks is one: %s',
    async (kind) => {
      stage.chutes.behave(FIRST, kind);
      expect(String(await thrownBy(chat(FIRST).invoke(PROMPT)))).toContain('terminated');
    },
  );

  test('RTE-21: the client tries again by itself', async () => {
    stage.chutes.behave(SECOND, 'unavailable', { times: 1 });
    expect((await chat(SECOND, { maxRetries: 1 }).invoke(PROMPT)).text).toContain(SECOND);
    expect(stage.models).toEqual([SECOND, SECOND]);
  });

  // It turns off the retries of the client that it is built on, and with them what that knows of `x-should-retry`.
  test('RTE-21: even after a 504, as often as it is told to', async () => {
    stage.chutes.behave(FIRST, 'silent');
    const error = await failureOf(chat(FIRST, { maxRetries: 1 }).invoke(PROMPT), InternalServerError);
    expect(error).toMatchObject({ status: 504, code: 'upstream_header_timeout' });
    expect(stage.models).toEqual([FIRST, FIRST]);
  });
});

describe('aborts', () => {
  test('ATT-28, RTE-21: before the answer', async () => {
    stage.chutes.behave(FIRST, 'silent');
    const leaving = new AbortController();
    const failure = thrownBy(chat(ALIAS).invoke(PROMPT, { signal: leaving.signal }));
    const { request } = await stage.next();
    leaving.abort();
    await request.aborted;
    expect(String(await failure)).toMatch(/abort/i);
  });

  test('ATT-28, RTE-21: in the middle of it', async () => {
    stage.chutes.behave(FIRST, { kind: 'normal', tokenMs: 100 });
    const leaving = new AbortController();
    const reading = (async () => {
      for await (const _ of await chat(ALIAS).stream(PROMPT, { signal: leaving.signal })) leaving.abort();
    })();
    const failure = thrownBy(reading);
    await (
      await stage.next()
    ).request.aborted;
    expect(String(await failure)).toMatch(/abort/i);
  });
});
