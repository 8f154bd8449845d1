import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { type Answer, ask, complete, errorOf } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { RawClient } from './support/raw-client.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

const NONCE = 'a'.repeat(64);
const ID = { 'x-request-id': 'my-own-id' };
const NOWHERE = 'http://127.0.0.1:1';

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
});

afterEach(async () => {
  await router?.close();
  await chutes.close();
});

async function start(env: Env = {}, options = { awaitReady: true }): Promise<TestRouter> {
  router = await startRouter(chutes, env, options);
  return router;
}

interface Case {
  readonly status: number;
  readonly param?: string;
  readonly env?: Env;
  /** Makes the upstream what it has to be. Returns whether the router will be ready. */
  readonly prepare?: () => boolean;
  readonly act: (router: TestRouter) => Promise<Answer>;
}

const post = (body: string | Readonly<Record<string, unknown>>) => async (to: TestRouter) =>
  complete(to, body, { headers: ID });
const get =
  (path: string, method = 'GET') =>
  async (to: TestRouter) =>
    ask(to, path, { headers: ID, method });

/** By code; a note may follow. */
const CASES: Readonly<Record<string, Case>> = {
  invalid_json: { status: 400, act: post('{"model":') },
  invalid_body: { status: 400, act: post('[]') },
  missing_model: { status: 400, param: 'model', act: post({}) },
  duplicate_model: { status: 400, param: 'model', act: post('{"model":"a","model":"b"}') },
  invalid_model: { status: 400, param: 'model', act: post({ model: 'x'.repeat(257) }) },
  invalid_model_list: { status: 400, param: 'model', act: post({ model: ',' }) },
  unknown_model: { status: 400, param: 'model', act: post({ model: 'nobody/knows' }) },
  invalid_nonce: { status: 400, param: 'nonce', act: get('/chutes/a%2Ffirst/evidence?nonce=1') },
  not_confidential: { status: 400, act: get(`/chutes/a%2Ffirst/evidence?nonce=${NONCE}`) },
  'bad_request (path)': { status: 400, act: get('/v1/models/%zz') },
  not_found: { status: 404, act: get('/v1/embeddings', 'POST') },
  model_not_found: { status: 404, param: 'model', act: get('/v1/models/nobody/knows') },
  'model_not_found (evidence)': {
    status: 404,
    param: 'model',
    act: get(`/chutes/nobody/evidence?nonce=${NONCE}`),
  },
  method_not_allowed: { status: 405, act: get('/v1/completions') },
  request_too_large: { status: 413, env: { MAX_REQUEST_BYTES: '10' }, act: post({ model: 'a/first' }) },
  unsupported_encoding: {
    status: 415,
    act: (to) => complete(to, '{}', { headers: { ...ID, 'content-encoding': 'br' } }),
  },
  no_candidates: {
    status: 503,
    prepare: () => {
      chutes.utilization = ['nobody/knows'];
      return false;
    },
    act: async (to) => {
      await eventually(async () => (await ask(to, '/readyz')).text.includes('no_candidates'));
      return post({ model: 'chutesai/AutoPilot' })(to);
    },
  },
  missing_allowlist: {
    status: 503,
    prepare: () => {
      chutes.feed('models', 'error');
      return false;
    },
    act: get('/v1/models'),
  },
  'overloaded (connections)': {
    status: 503,
    env: { UPSTREAM_MAX_CONNECTIONS: '1', UPSTREAM_CONNECT_TIMEOUT_MS: '500' },
    prepare: () => {
      chutes.behave('b/second-TEE', 'silent');
      return true;
    },
    act: async (to) => {
      await RawClient.open(to.port, chatRequest({ model: 'b/second-TEE' }));
      await chutes.nextRequest();
      return post({ model: 'a/first' })(to);
    },
  },
  'overloaded (memory)': {
    status: 503,
    env: { MAX_INFLIGHT_BODY_BYTES: '10' },
    act: post({ model: 'a/first' }),
  },
  shutting_down: {
    status: 503,
    env: { SHUTDOWN_GRACE_MS: '0' },
    prepare: () => {
      chutes.behave('a/first', 'silent');
      return true;
    },
    act: async (to) => {
      const answer = post({ model: 'a/first' })(to);
      await chutes.nextRequest();
      await to.app.get(LifecycleService).stop();
      return answer;
    },
  },
  upstream_connect_error: {
    status: 502,
    env: { BACKEND_BASE_URL: NOWHERE },
    act: post({ model: 'a/first' }),
  },
  upstream_reset: {
    status: 502,
    prepare: () => {
      chutes.behave('a/first', 'reset');
      return true;
    },
    act: post({ model: 'a/first' }),
  },
  upstream_header_timeout: {
    status: 504,
    env: { UPSTREAM_PATIENT_TIMEOUT_MS: '100' },
    prepare: () => {
      chutes.behave('a/first', 'silent');
      return true;
    },
    act: post({ model: 'a/first' }),
  },
};

function typeOf(status: number): string {
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** The names of the cases whose status lies between these two. */
function casesFrom(lowest: number, highest: number): string[] {
  return Object.entries(CASES)
    .filter(([, { status }]) => status >= lowest && status <= highest)
    .map(([name]) => name);
}

async function check(name: string): Promise<void> {
  const { status, param = null, env, prepare = () => true, act } = CASES[name] as Case;
  const answer = await act(await start(env, { awaitReady: prepare() }));
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('x-request-id')).toBe('my-own-id');
  expect(JSON.parse(answer.text)).toEqual({
    error: {
      message: expect.stringMatching(/\.$/),
      type: typeOf(status),
      param,
      code: name.split(' ')[0],
    },
  });
  const passes = name.startsWith('overloaded') || name === 'shutting_down';
  expect(answer.headers.has('retry-after')).toBe(passes);
}

describe('every error of the router’s own', () => {
  test.each(casesFrom(400, 400))('ERR-1, ERR-3: %s', check);
  test.each(casesFrom(401, 499))('ERR-1, ERR-4: %s', check);
  test.each(casesFrom(500, 502))('ERR-1, HDR-16: %s', check);
  test.each(casesFrom(503, 503))('ERR-1, ERR-11: %s', check);
  test.each(casesFrom(504, 599))('ERR-1, ERR-15: %s', check);

  test('ERR-1, ERR-4: request_timeout', async () => {
    const { port } = await start({ REQUEST_BODY_TIMEOUT_MS: '100' });
    const upload = chatRequest({ model: 'a/first', headers: ['X-Request-Id: my-own-id'] }).slice(0, -1);
    const response = await (await RawClient.open(port, upload)).response();
    expect([response.status, headerOf(response, 'x-request-id')]).toEqual([408, 'my-own-id']);
    expect(bodyOf(response)).toEqual({
      error: {
        message: expect.any(String),
        type: 'invalid_request_error',
        param: null,
        code: 'request_timeout',
      },
    });
  });

  test('ERR-12: overloaded says when to come again', async () => {
    const answer = await complete(await start({ MAX_INFLIGHT_BODY_BYTES: '1' }), { model: 'a/first' });
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  });

  test('ERR-14: readiness has a type of its own', async () => {
    chutes.feed('models', 'error');
    const answer = await ask(await start({}, { awaitReady: false }), '/readyz', { headers: ID });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-request-id')).toBe('my-own-id');
    expect(errorOf(answer)).toEqual({
      message: expect.any(String),
      type: 'not_ready',
      param: null,
      code: 'missing_allowlist',
    });
  });
});

function bodyOf({ body }: RawResponse): unknown {
  return JSON.parse(body.toString());
}
