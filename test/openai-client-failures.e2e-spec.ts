import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { ChutesSimulator } from '../src/demo/chutes-simulator.js';
import { startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const [FIRST, SECOND] = ['zai-org/GLM-5-TEE', 'Qwen/Qwen3-32B'] as const;
const messages = [{ role: 'user' as const, content: 'Hello' }];
/** The client would try again otherwise, and take its time. */
const ONCE = { maxRetries: 0 };

const LIVE = 'testdata/chutes_live/';

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

test('SEL-14: an unknown model is a BadRequestError with code and parameter', async () => {
  const error = await failureOf(client.chat.completions.create({ model: 'nobody', messages }));
  expect(error).toBeInstanceOf(BadRequestError);
  expect(error).toMatchObject({ code: 'unknown_model', param: 'model', type: 'invalid_request_error' });
  expect(error.requestID).toMatch(/^[\da-f-]{36}$/);
});

test('RTE-13: what is not served is a NotFoundError that says what is', async () => {
  const error = await failureOf(client.embeddings.create({ model: FIRST, input: 'Hello' }));
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error.code).toBe('not_found');
  expect(error.message).toContain('/v1/chat/completions');
});

test('STK-10: the upstream’s 401 is an AuthenticationError', async () => {
  const body = readFileSync(`${LIVE}chat_invalid_token_401_2026-02-18.json`);
  const headers = { 'content-type': 'application/json' };
  chutes.behave(FIRST, { kind: 'status', status: 401, headers, body }, { times: 1 });
  const error = await failureOf(client.chat.completions.create({ model: ALIAS, messages }));
  expect(error).toBeInstanceOf(AuthenticationError);
  expect((await chutes.nextRequest()).model).toBe(FIRST);
});

test('STK-10: the upstream’s 429 is a RateLimitError, also as a page of HTML', async () => {
  const body = readFileSync(`${LIVE}chat_unauthenticated_429_2026-02-18.html`);
  const headers = { 'content-type': 'text/html' };
  chutes.behave(FIRST, { kind: 'status', status: 429, headers, body }, { times: 1 });
  const error = await failureOf(client.chat.completions.create({ model: ALIAS, messages }, ONCE));
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error.message).toContain('429 Too Many Requests');
  expect((await chutes.nextRequest()).model).toBe(FIRST);
});

test('ERR-15: after the 504 of a model that stayed silent the client does not ask again by itself', async () => {
  const hasty = await startRouter(chutes, { UPSTREAM_PATIENT_TIMEOUT_MS: '300' });
  const patient = new OpenAI({ baseURL: `${hasty.url}/v1`, apiKey: 'cpk' });
  chutes.behave(FIRST, 'silent');
  const before = chutes.count();
  const error = await failureOf(patient.chat.completions.create({ model: FIRST, messages }));
  expect(error).toBeInstanceOf(InternalServerError);
  expect(error).toMatchObject({ status: 504, code: 'upstream_header_timeout' });
  expect(chutes.count()).toBe(before + 1);
  await chutes.nextRequest();
  await hasty.close();
});

test('ATT-35: a stream that breaks is an APIError after what had come', async () => {
  chutes.behave(FIRST, { kind: 'cut-stream', afterChunks: 3 }, { times: 1 });
  const stream = await client.chat.completions.create({ model: ALIAS, messages, stream: true });
  const chunks: unknown[] = [];
  const error = await failureOf(
    (async () => {
      for await (const chunk of stream) chunks.push(chunk);
    })(),
  );
  expect(chunks).toHaveLength(3);
  expect(error).toMatchObject({ code: 'upstream_stream_interrupted', type: 'server_error' });
  await chutes.nextRequest();
});

test('ATT-28: a stream that is aborted ends upstream, too', async () => {
  chutes.behave(FIRST, { kind: 'stall', afterChunks: 2 }, { times: 1 });
  const stream = await client.chat.completions.create({ model: ALIAS, messages, stream: true });
  const request = await chutes.nextRequest();
  const chunks: unknown[] = [];
  for await (const chunk of stream) {
    if (chunks.push(chunk) === 2) stream.controller.abort();
  }
  await request.aborted;
  expect(chunks).toHaveLength(2);
});

test('ATT-28: so does a request that is aborted before its answer', async () => {
  chutes.behave(FIRST, 'silent', { times: 1 });
  const leaving = new AbortController();
  const answer = failureOf(
    client.chat.completions.create({ model: ALIAS, messages }, { signal: leaving.signal }),
  );
  const request = await chutes.nextRequest();
  leaving.abort();
  expect(await answer).toBeInstanceOf(APIUserAbortError);
  await request.aborted;
});

async function failureOf(answer: Promise<unknown>): Promise<APIError> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error('It succeeded.');
}
