import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';
import { failureOf, thrownBy } from './support/failure-of.js';

const messages = [{ role: 'user' as const, content: 'Hello' }];
/** The client would try again otherwise, and take its time. */
const ONCE = { maxRetries: 0 };

const LIVE = 'testdata/chutes_live/';

let stage: ClientStage;
let client: OpenAI;

beforeEach(async () => {
  stage = await ClientStage.set({ UPSTREAM_PATIENT_TIMEOUT_MS: '1000' });
  client = new OpenAI({ baseURL: stage.baseURL, apiKey: KEY });
});

afterEach(async () => {
  await stage.clear();
});

async function chat(model: string, options: OpenAI.RequestOptions = {}): Promise<OpenAI.ChatCompletion> {
  return client.chat.completions.create({ model, messages }, options);
}

describe('error classes', () => {
  test('SEL-14, RTE-21: an unknown model is a BadRequestError with code and parameter', async () => {
    const error = await failureOf(chat('nobody'), BadRequestError);
    expect(error).toMatchObject({ code: 'unknown_model', param: 'model', type: 'invalid_request_error' });
    expect(error.requestID).toMatch(/^[\da-f-]{36}$/);
  });

  test('RTE-13, RTE-21: what is not served is a NotFoundError that says what is', async () => {
    const error = await failureOf(client.embeddings.create({ model: FIRST, input: 'Hello' }), NotFoundError);
    expect(error.code).toBe('not_found');
    expect(error.message).toContain('/v1/chat/completions');
  });

  test.each(['', '/v1/v1', '/openai/v1', '/V1/'])(
    'RTE-24, RTE-21: with %j in place of /v1 it says how the base URL ends',
    async (path) => {
      const lost = new OpenAI({ baseURL: stage.baseURL.replace(/\/v1$/, path), apiKey: KEY, maxRetries: 0 });
      const chatted = await failureOf(
        lost.chat.completions.create({ model: ALIAS, messages }),
        NotFoundError,
      );
      expect(chatted.message).toMatch(/Did you mean \/v1\/chat\/completions\?.* followed by \/v1 /);
      const listed = await failureOf(Promise.resolve(lost.models.list()), NotFoundError);
      expect(listed.message).toContain('Did you mean /v1/models?');
    },
  );

  test('STK-10, RTE-21: the upstream’s 401 is an AuthenticationError', async () => {
    const body = readFileSync(`${LIVE}chat_invalid_token_401_2026-02-18.json`);
    const headers = { 'content-type': 'application/json' };
    stage.chutes.behave(FIRST, { kind: 'status', status: 401, headers, body });
    await failureOf(chat(ALIAS), AuthenticationError);
    expect(stage.models).toEqual([FIRST]);
  });

  test('STK-10, RTE-21: the upstream’s 429 is a RateLimitError, also as a page of HTML', async () => {
    const body = readFileSync(`${LIVE}chat_unauthenticated_429_2026-02-18.html`);
    const headers = { 'content-type': 'text/html' };
    stage.chutes.behave(FIRST, { kind: 'status', status: 429, headers, body });
    const error = await failureOf(chat(ALIAS, ONCE), RateLimitError);
    expect(error.message).toContain('429 Too Many Requests');
    expect(stage.models).toEqual([FIRST]);
  });

  test('ERR-7, RTE-21: the last model that resets is an InternalServerError with its code', async () => {
    for (const model of [FIRST, SECOND]) stage.chutes.behave(model, 'reset');
    const error = await failureOf(chat(ALIAS, ONCE), InternalServerError);
    expect(error).toMatchObject({ status: 502, code: 'upstream_reset', type: 'server_error' });
    expect(error.headers?.get('x-chutes-autopilot-attempts')).toBe('2');
  });
});

describe('what the client tries again by itself', () => {
  test.each(['unavailable', 'at-capacity', 'internal-error', 'reset'] as const)(
    'RTE-21: a model that is %s once, and then answers',
    async (kind) => {
      stage.chutes.behave(SECOND, kind, { times: 1 });
      const { model } = await chat(SECOND);
      expect(model).toBe(SECOND);
      const counts = stage.chutes.generations.map(({ headers }) => headers['x-stainless-retry-count']);
      expect(counts).toEqual(['0', '1']);
    },
  );

  test('ERR-15, RTE-21: not a model that stayed silent', async () => {
    stage.chutes.behave(FIRST, 'silent');
    const error = await failureOf(chat(FIRST), InternalServerError);
    expect(error).toMatchObject({ status: 504, code: 'upstream_header_timeout' });
    expect(stage.models).toEqual([FIRST]);
  });
});

describe('aborts', () => {
  test('ATT-28, RTE-21: a stream that is aborted ends upstream, too', async () => {
    stage.chutes.behave(FIRST, { kind: 'stall', afterChunks: 2 });
    const stream = await client.chat.completions.create({ model: ALIAS, messages, stream: true });
    const { request } = await stage.next();
    const chunks: unknown[] = [];
    for await (const chunk of stream) {
      if (chunks.push(chunk) === 2) stream.controller.abort();
    }
    await request.aborted;
    expect(chunks).toHaveLength(2);
  });

  test('ATT-28, RTE-21: so does a request that is aborted before its answer', async () => {
    stage.chutes.behave(FIRST, 'silent');
    const leaving = new AbortController();
    const failure = thrownBy(chat(ALIAS, { signal: leaving.signal }));
    const { request } = await stage.next();
    leaving.abort();
    expect(await failure).toBeInstanceOf(APIUserAbortError);
    await request.aborted;
  });
});

test('ATT-35, RTE-21: a stream that breaks is an APIError after what had come', async () => {
  stage.chutes.behave(FIRST, { kind: 'cut-stream', afterChunks: 3 });
  const stream = await client.chat.completions.create({ model: ALIAS, messages, stream: true });
  const chunks: unknown[] = [];
  const reading = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  const error = await failureOf(reading, APIError);
  expect(chunks).toHaveLength(3);
  expect(error).toMatchObject({ code: 'upstream_stream_interrupted', type: 'server_error' });
});
