import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  APICallError,
  generateText,
  isStepCount,
  jsonSchema,
  NoOutputGeneratedError,
  RetryError,
  streamText,
  tool,
} from 'ai';
import { ADD, CALL, saying, streaming } from './support/chat-answers.js';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';
import { failureOf, thrownBy } from './support/failure-of.js';

const LIST = `${SECOND},${FIRST}`;
const prompt = 'Hello';
/** The client would try again otherwise, and take its time. */
const maxRetries = 0;

let stage: ClientStage;
let chutes: ReturnType<typeof createOpenAICompatible>;

beforeEach(async () => {
  stage = await ClientStage.set({ UPSTREAM_PATIENT_TIMEOUT_MS: '1000' });
  chutes = createOpenAICompatible({
    name: 'chutes',
    baseURL: stage.baseURL,
    apiKey: KEY,
    includeUsage: true,
  });
});

afterEach(async () => stage.clear());

describe('generateText', () => {
  test.each([
    ['an alias', ALIAS, FIRST],
    ['a list', LIST, SECOND],
    ['a direct model', SECOND, SECOND],
  ])('RTE-1, RTE-21: with %s', async (_, model, answeredBy) => {
    const { text, response, usage, finishReason } = await generateText({ model: chutes(model), prompt });
    expect(text).toContain(answeredBy);
    expect(response.modelId).toBe(answeredBy);
    expect(usage.totalTokens).toBeGreaterThan(0);
    expect(finishReason).toBe('stop');
    const { request, body } = await stage.next();
    expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toEqual({ model: answeredBy, messages: [{ role: 'user', content: prompt }] });
  });

  test('RTE-21, ATT-10: with a list whose first model is down', async () => {
    stage.chutes.behave(SECOND, 'unavailable');
    const { text, response } = await generateText({ model: chutes(LIST), prompt });
    expect(text).toContain(FIRST);
    expect(response.headers?.['x-chutes-autopilot-selected']).toBe(FIRST);
    expect(stage.models).toEqual([SECOND, FIRST]);
  });

  test('RTE-2, RTE-21: as a text completion', async () => {
    const { text } = await generateText({ model: chutes.completionModel(ALIAS), prompt });
    expect(text).toContain(FIRST);
    expect((await stage.next()).request.path).toBe('/v1/completions');
  });

  test('RTE-1, RTE-21: calls a tool and goes on with what it says', async () => {
    stage.chutes.behave(FIRST, saying({ content: null, tool_calls: [CALL] }), { times: 1 });
    const { text, steps } = await generateText({
      model: chutes(ALIAS),
      prompt,
      tools: { add: addTool() },
      stopWhen: isStepCount(2),
    });
    expect(steps).toHaveLength(2);
    expect(text).toContain(FIRST);
    expect((await stage.next()).body['tools']).toMatchObject([
      { type: 'function', function: { name: 'add' } },
    ]);
    const messages = (await stage.next()).body['messages'] as unknown[];
    expect(messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: CALL.id, content: '3' });
  });
});

describe('streamText', () => {
  test.each([
    [ALIAS, FIRST],
    [LIST, SECOND],
  ])('RTE-1, RTE-21: with %s', async (model, answeredBy) => {
    const result = streamText({ model: chutes(model), prompt });
    const deltas = await Array.fromAsync(result.textStream);
    expect(deltas.length).toBeGreaterThan(10);
    expect(deltas.join('')).toContain(answeredBy);
    expect(await result.finishReason).toBe('stop');
    expect((await result.usage).outputTokens).toBeGreaterThan(0);
  });

  test('RTE-1, RTE-21: calls a tool', async () => {
    stage.chutes.behave(FIRST, streaming({ tool_calls: [{ ...CALL, index: 0 }] }), { times: 1 });
    const result = streamText({
      model: chutes(ALIAS),
      prompt,
      tools: { add: addTool() },
      stopWhen: isStepCount(2),
    });
    expect(await result.text).toContain(FIRST);
    const [first] = await result.steps;
    expect(first?.toolResults).toMatchObject([{ toolName: 'add', input: { a: 1, b: 2 }, output: 3 }]);
  });
});

describe('errors', () => {
  test('SEL-14, RTE-21: of the router have status, message and code', async () => {
    const error = await failureOf(generateText({ model: chutes('nobody'), prompt }), APICallError);
    expect(error).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('Not in the model catalog: "nobody".'),
    });
    expect(error.data).toMatchObject({ error: { code: 'unknown_model', param: 'model' } });
    expect(error.responseHeaders?.['x-request-id']).toMatch(/^[\da-f-]{36}$/);
  });

  test('ATT-13, RTE-21: of the upstream have its status and body, in whatever form', async () => {
    stage.chutes.behave(FIRST, 'rate-limited');
    const answer = generateText({ model: chutes(ALIAS), prompt, maxRetries });
    const error = await failureOf(answer, APICallError);
    expect(error).toMatchObject({ statusCode: 429, isRetryable: true });
    expect(error.responseBody).toContain('<h1>429 Too Many Requests</h1>');
    expect(stage.models).toEqual([FIRST]);
  });

  test('RTE-21: a stream that is refused has none of the answer, and says why', async () => {
    stage.chutes.behave(FIRST, 'unauthorized');
    const errors: unknown[] = [];
    const result = streamText({
      model: chutes(ALIAS),
      prompt,
      maxRetries,
      onError: ({ error }) => void errors.push(error),
    });
    expect(await Array.fromAsync(result.textStream)).toEqual([]);
    expect(errors).toMatchObject([{ statusCode: 401, responseBody: '{"detail":"Invalid token."}' }]);
    await expect(result.text).rejects.toBeInstanceOf(NoOutputGeneratedError);
  });

  test('RTE-21: the client tries again by itself', async () => {
    stage.chutes.behave(SECOND, 'unavailable', { times: 1 });
    const { text } = await generateText({ model: chutes(SECOND), prompt });
    expect(text).toContain(SECOND);
    expect(stage.models).toEqual([SECOND, SECOND]);
  });

  // Unlike OpenAI's clients it does not know `x-should-retry`.
  test('RTE-21: even after a 504, as often as it is told to', async () => {
    stage.chutes.behave(FIRST, 'silent');
    const error = await failureOf(generateText({ model: chutes(FIRST), prompt, maxRetries: 1 }), RetryError);
    expect(error.errors).toMatchObject([{ statusCode: 504 }, { statusCode: 504 }]);
    expect(stage.models).toEqual([FIRST, FIRST]);
  });
});

describe('aborts', () => {
  test('ATT-28, RTE-21: before the answer', async () => {
    stage.chutes.behave(FIRST, 'silent');
    const leaving = new AbortController();
    const answer = generateText({ model: chutes(ALIAS), prompt, abortSignal: leaving.signal });
    const failure = thrownBy(answer);
    const { request } = await stage.next();
    leaving.abort();
    await request.aborted;
    expect(await failure).toMatchObject({ name: 'AbortError' });
  });

  test('ATT-28, RTE-21: in the middle of it', async () => {
    stage.chutes.behave(FIRST, { kind: 'stall', afterChunks: 3 });
    const leaving = new AbortController();
    const { stream } = streamText({ model: chutes(ALIAS), prompt, abortSignal: leaving.signal });
    const types: string[] = [];
    for await (const { type } of stream) {
      types.push(type);
      if (type === 'text-delta') leaving.abort();
    }
    expect(types.at(-1)).toBe('abort');
    await (
      await stage.next()
    ).request.aborted;
  });
});

function addTool() {
  return tool({
    description: 'adds',
    inputSchema: jsonSchema<{ a: number; b: number }>(ADD),
    execute: ({ a, b }) => a + b,
  });
}
