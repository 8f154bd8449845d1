import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { AdmissionService } from '../src/http-edge/admission.service.js';
import { OverloadService } from '../src/http-edge/overload.service.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { failOnce } from './support/fail-once.js';
import { headerOf } from './support/raw-response.js';
import { RawClient } from './support/raw-client.js';
import { type Env, startRouter, type TestRouter } from './support/router.js';

const MODEL = 'a/first';
const PATH = '/v1/messages';
const ID = { 'x-request-id': 'my-own-id' };
const ID_LINE = 'X-Request-Id: my-own-id';

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  chutes.models = [MODEL];
  chutes.utilization = [MODEL];
});

afterEach(async () => {
  await router?.close();
  await chutes.close();
});

async function start(env: Env = {}): Promise<TestRouter> {
  router = await startRouter(chutes, env);
  return router;
}

interface Told {
  readonly status: number;
  readonly id: string | null | undefined;
  readonly body: string;
}

interface Case {
  readonly status: number;
  /** Anthropic's. */
  readonly type: string;
  readonly param?: string;
  readonly env?: Env;
  readonly act: (router: TestRouter) => Promise<Told>;
}

/** A request over HTTP. */
function asking(path: string, options: Parameters<typeof ask>[2] = { method: 'POST' }): Case['act'] {
  return async (to) => {
    const { status, headers, text } = await ask(to, path, {
      ...options,
      headers: { ...ID, ...options.headers },
    });
    return { status, id: headers.get('x-request-id'), body: text };
  };
}

const posting = (body: string, headers = {}) => asking(PATH, { method: 'POST', body, headers });

/** The same as bytes, for what no client would send. */
function sending(bytes: string): Case['act'] {
  return async ({ port }) => {
    const client = await RawClient.open(port, bytes);
    const response = await client.response();
    client.close();
    return {
      status: response.status,
      id: headerOf(response, 'x-request-id'),
      body: response.body.toString(),
    };
  };
}

const REQUEST = chatRequest({ model: MODEL, path: PATH, headers: [ID_LINE] });

/** By code; a note may follow. */
const CASES: Readonly<Record<string, Case>> = {
  invalid_json: { status: 400, type: 'invalid_request_error', act: posting('{') },
  unknown_model: {
    status: 400,
    type: 'invalid_request_error',
    param: 'model',
    act: posting('{"model":"nobody"}'),
  },
  'not_found (below it)': { status: 404, type: 'not_found_error', act: asking(`${PATH}/batches`) },
  'not_found (another spelling)': { status: 404, type: 'not_found_error', act: asking(`/${PATH}`) },
  method_not_allowed: { status: 405, type: 'invalid_request_error', act: asking(PATH, {}) },
  'method_not_allowed (count_tokens)': {
    status: 405,
    type: 'invalid_request_error',
    act: asking(`${PATH}/count_tokens?beta=true`, { method: 'DELETE' }),
  },
  request_too_large: {
    status: 413,
    type: 'request_too_large',
    env: { MAX_REQUEST_BYTES: '10' },
    act: posting('{"model":"nobody"}'),
  },
  unsupported_encoding: {
    status: 415,
    type: 'invalid_request_error',
    act: posting('{}', { 'content-encoding': 'br' }),
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    env: { REQUEST_BODY_TIMEOUT_MS: '100' },
    act: sending(REQUEST.slice(0, -1)),
  },
  'bad_request (a framing that is ambiguous)': {
    status: 400,
    type: 'invalid_request_error',
    act: sending(REQUEST.replace(/Content-Length: \d+/, 'Transfer-Encoding: gzip, chunked')),
  },
  'bad_request (a target in absolute form)': {
    status: 400,
    type: 'invalid_request_error',
    act: sending(
      REQUEST.replace(PATH, `http://router.test${PATH}`).replace('Content-Type', 'Host: b\r\nContent-Type'),
    ),
  },
  'bad_request (a body that breaks its framing)': {
    status: 400,
    type: 'invalid_request_error',
    act: sending(
      `POST ${PATH} HTTP/1.1\r\nHost: router.test\r\n${ID_LINE}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}zz\r\n`,
    ),
  },
  expectation_failed: {
    status: 417,
    type: 'invalid_request_error',
    act: sending(REQUEST.replace('Content-Type', 'Expect: the-unexpected\r\nContent-Type')),
  },
  internal_error: {
    status: 500,
    type: 'api_error',
    act: async (to) => {
      failOnce(to, new TypeError('Oh.'));
      return posting(`{"model":"${MODEL}"}`)(to);
    },
  },
  'overloaded (turns of the event loop)': {
    status: 503,
    type: 'overloaded_error',
    act: async (to) => {
      Object.defineProperty(to.app.get(OverloadService), 'isLagging', { value: true });
      return posting(`{"model":"${MODEL}"}`)(to);
    },
  },
  'overloaded (memory)': {
    status: 503,
    type: 'overloaded_error',
    env: { MAX_INFLIGHT_BODY_BYTES: '10' },
    act: posting(`{"model":"${MODEL}"}`),
  },
  shutting_down: {
    status: 503,
    type: 'overloaded_error',
    env: { SHUTDOWN_GRACE_MS: '0' },
    act: async (to) => {
      chutes.behave(MODEL, 'silent');
      const answer = posting(`{"model":"${MODEL}"}`)(to);
      await chutes.nextRequest();
      await to.app.get(LifecycleService).stop();
      return answer;
    },
  },
  upstream_reset: {
    status: 502,
    type: 'api_error',
    act: async (to) => {
      chutes.behave(MODEL, 'reset');
      return posting(`{"model":"${MODEL}"}`)(to);
    },
  },
  upstream_header_timeout: {
    status: 504,
    type: 'timeout_error',
    env: { UPSTREAM_PATIENT_TIMEOUT_MS: '100' },
    act: async (to) => {
      chutes.behave(MODEL, 'silent');
      return posting(`{"model":"${MODEL}"}`)(to);
    },
  },
};

describe('an error of the router’s own at /v1/messages', () => {
  test.each(Object.keys(CASES))(
    'DOR-8, ERR-30: is one of Anthropic’s, and still one of OpenAI’s: %s',
    async (name) => {
      const { status, type, param = null, env, act } = CASES[name] as Case;
      const told = await act(await start(env));
      expect([told.status, told.id]).toEqual([status, 'my-own-id']);
      expect(JSON.parse(told.body)).toEqual({
        type: 'error',
        error: { type, message: expect.stringMatching(/\.$/), param, code: name.split(' ')[0] },
        request_id: 'my-own-id',
      });
    },
  );

  test('DOR-8: what comes on a kept connection while the router shuts down, too', async () => {
    const to = await start();
    const kept = await RawClient.open(to.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await kept.response();
    to.app.get(AdmissionService).close();
    await kept.send(REQUEST);
    const { status, body } = await kept.response();
    kept.close();
    expect([status, JSON.parse(body.toString())]).toEqual([
      503,
      {
        type: 'error',
        error: { type: 'overloaded_error', message: expect.any(String), param: null, code: 'shutting_down' },
        request_id: 'my-own-id',
      },
    ]);
  });
});

test('ERR-30: at /v1/responses it is OpenAI’s alone', async () => {
  const { text } = await complete(await start(), { model: 'nobody' }, { path: '/v1/responses', headers: ID });
  expect(JSON.parse(text)).toEqual({
    error: {
      message: expect.any(String),
      type: 'invalid_request_error',
      param: 'model',
      code: 'unknown_model',
    },
  });
});
