import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Behaviour, NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { complete, selectedOf } from './support/ask.js';
import { type ChatRequest, chatRequest } from './support/chat-request.js';
import { RawClient } from './support/raw-client.js';
import type { RawResponse } from './support/raw-response.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

const FIRST = 'a/first';
const SECOND = 'b/second';

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  chutes.models = [FIRST, SECOND];
  chutes.utilization = [FIRST, SECOND];
});

afterEach(async () => {
  await router?.close();
  await chutes.close();
});

async function start(env: Env = {}): Promise<TestRouter> {
  router = await startRouter(chutes, env);
  return router;
}

/** What follows the upstream's bytes, when its answer breaks off. */
const EVENTS: Readonly<Record<string, (code: string) => object>> = {
  '/v1/responses': (code) => ({
    type: 'error',
    sequence_number: expect.any(Number),
    code,
    message: expect.any(String),
    param: null,
    error: { message: expect.any(String), type: 'server_error', param: null, code },
  }),
  '/v1/messages': (code) => ({
    type: 'error',
    error: { message: expect.any(String), type: ANTHROPIC_TYPES[code], param: null, code },
  }),
};
const ANTHROPIC_TYPES: Readonly<Record<string, string>> = {
  upstream_stream_interrupted: 'api_error',
  upstream_idle_timeout: 'timeout_error',
  shutting_down: 'overloaded_error',
};
const PATHS = Object.keys(EVENTS);

async function streamed(to: TestRouter, request: Partial<ChatRequest>): Promise<RawResponse> {
  const client = await RawClient.open(to.port, chatRequest({ model: FIRST, stream: true, ...request }));
  const response = await client.response();
  client.close();
  return response;
}

/** The last event of a stream. */
function lastEvent({ body }: RawResponse): { name: string | undefined; data: unknown } {
  const lines = body.toString().trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
  const valueOf = (field: string) =>
    lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2);
  return { name: valueOf('event'), data: JSON.parse(valueOf('data') ?? 'null') };
}

describe.each(PATHS)('a stream of %s', (path) => {
  test.each<[string, Behaviour, string, boolean]>([
    ['is cut', { kind: 'cut-stream', afterChunks: 5 }, 'upstream_stream_interrupted', false],
    ['is reset', { kind: 'cut-stream', afterChunks: 5, reset: true }, 'upstream_stream_interrupted', false],
    ['falls silent', { kind: 'stall', afterChunks: 5 }, 'upstream_idle_timeout', false],
    ['ends in the middle', { kind: 'unfinished', afterChunks: 5 }, 'upstream_stream_interrupted', true],
    ['ends without its last event', { kind: 'no-done' }, 'upstream_stream_interrupted', true],
    ['ends with a bare error', { kind: 'unframed-error' }, 'upstream_stream_interrupted', true],
  ])('ATT-62: that %s gets the event of its dialect', async (_, behaviour, code, endsWell) => {
    const to = await start({ UPSTREAM_IDLE_TIMEOUT_MS: '300' });
    chutes.behave(FIRST, behaviour);
    const response = await streamed(to, { path });
    expect(lastEvent(response)).toEqual({ name: 'error', data: EVENTS[path]?.(code) });
    expect(response.isComplete).toBe(endsWell);
    await eventually(() => to.requestLogs.length === 1);
    expect(to.requestLogs).toMatchObject([{ ending: 'interrupted', status: 200 }]);
  });

  test('ATT-62: that a shutdown ends gets it, too', async () => {
    const to = await start({ SHUTDOWN_GRACE_MS: '0' });
    chutes.behave(FIRST, { kind: 'stall', afterChunks: 5 });
    const client = await RawClient.open(to.port, chatRequest({ model: FIRST, stream: true, path }));
    await client.receives('event: ');
    await to.app.get(LifecycleService).stop();
    expect(lastEvent(await client.response())).toEqual({
      name: 'error',
      data: EVENTS[path]?.('shutting_down'),
    });
  });

  test('ATT-58, ATT-59: that ends as it should has nothing added, however long its last event is', async () => {
    const to = await start();
    chutes.behave(FIRST, { kind: 'normal', tokens: 6_000 });
    const response = await streamed(to, { path });
    expect(response.isComplete).toBe(true);
    expect(lastEvent(response).name).toMatch(/^(?:response\.completed|message_stop)$/);
    expect(to.requestLogs).toMatchObject([{ ending: 'complete' }]);
  });

  test.each<NamedKind>(['error-event', 'error-event-pretty'])(
    'ATT-60: that ends with an error of the upstream’s own has nothing added: %s',
    async (kind) => {
      const to = await start();
      chutes.behave(FIRST, kind);
      const response = await streamed(to, { path });
      expect(response.body.toString().match(/event: error/g)).toHaveLength(1);
      await eventually(() => to.requestLogs.length === 1);
      expect(to.requestLogs).toMatchObject([{ ending: 'interrupted' }]);
    },
  );

  test.each<NamedKind>(['first-event-error', 'first-event-anthropic-error', 'first-event-unframed-error'])(
    'DOR-2: that begins with an error is a failed attempt while another candidate is left: %s',
    async (kind) => {
      const to = await start();
      chutes.behave(FIRST, kind);
      const answer = await complete(to, { model: `${FIRST},${SECOND}`, stream: true }, { path });
      expect(selectedOf(answer)).toBe(SECOND);
      expect(answer.text).not.toContain('event: error');
      expect(to.requestLogs).toMatchObject([{ failovers: ['upstream_error_event'], ending: 'complete' }]);
    },
  );

  test('DOR-2: that says nothing is a failed attempt where that is asked for', async () => {
    const to = await start({ RETRY_EMPTY_ANSWERS: 'true' });
    chutes.behave(FIRST, 'empty-answer');
    const answer = await complete(to, { model: `${FIRST},${SECOND}`, stream: false }, { path });
    expect(selectedOf(answer)).toBe(SECOND);
    expect(to.requestLogs).toMatchObject([{ failovers: ['upstream_empty_answer'] }]);
  });
});

test('ATT-79: an answer of the Responses API that its model failed at once is a failed attempt', async () => {
  const to = await start();
  const failure = {
    type: 'response.failed',
    sequence_number: 0,
    response: { status: 'failed', error: { code: 'server_error', message: 'No instances available.' } },
  };
  const body = `event: response.failed\ndata: ${JSON.stringify(failure)}\n\n`;
  chutes.behave(FIRST, {
    kind: 'status',
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body,
  });
  const list = { model: `${FIRST},${SECOND}`, stream: true };
  const answer = await complete(to, list, { path: '/v1/responses' });
  expect(selectedOf(answer)).toBe(SECOND);
  expect(answer.text).not.toContain('response.failed');
  const last = await complete(to, { ...list, model: FIRST }, { path: '/v1/responses' });
  expect([last.status, last.text]).toEqual([200, body]);
  expect(to.requestLogs).toMatchObject([
    { failovers: ['upstream_error_event'], ending: 'complete' },
    { failovers: [], ending: 'interrupted' },
  ]);
});
