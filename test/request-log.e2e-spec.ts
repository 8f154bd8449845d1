import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete } from './support/ask.js';
import { chatBody, chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { RawClient } from './support/raw-client.js';
import { eventually, type LogLine, startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const EVIDENCE = `/chutes/b%2Fsecond-TEE/evidence?nonce=${'a'.repeat(64)}`;
const MILLISECONDS = expect.any(Number);

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
  router = await startRouter(chutes);
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

async function restartRouter(env: Readonly<Record<string, string>>): Promise<void> {
  await router.close();
  router = await startRouter(chutes, env);
}

/** The line of the one request that has been made. */
async function requestLine(): Promise<LogLine> {
  await eventually(() => router.requestLogs.length > 0);
  expect(router.requestLogs).toHaveLength(1);
  return router.requestLogs[0] as LogLine;
}

describe('the line of a request', () => {
  test('OBS-16, OBS-17: has all there is to say about a good answer', async () => {
    const headers = { 'x-request-id': 'my-own-id' };
    const answer = await complete(router, chatBody({ model: ALIAS, prompt: 'Grüße' }), { headers });
    expect(await requestLine()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      msg: 'request',
      req_id: 'my-own-id',
      mode: 'alias',
      alias: ALIAS,
      sort: 'capacity',
      needs: [],
      candidates: 2,
      model: 'a/first',
      pinned: false,
      attempts: 1,
      failovers: [],
      status: 200,
      ending: 'complete',
      ttfb_ms: MILLISECONDS,
      duration_ms: MILLISECONDS,
      bytes_in: Buffer.byteLength(chatBody({ model: ALIAS, prompt: 'Grüße' })),
      bytes_out: answer.bytes.length,
    });
  });

  test('OBS-17: req_id is the id in X-Request-Id, the router’s own, too', async () => {
    const answer = await complete(router, { model: 'a/first' });
    const line = await requestLine();
    expect(line['req_id']).toMatch(/^[\da-f-]{36}$/);
    expect(line['req_id']).toBe(answer.headers.get('x-request-id'));
  });

  test('OBS-17: tells how a list found its model', async () => {
    chutes.behave('a/first', 'unavailable');
    await complete(router, { model: 'a/first, b/second-TEE' });
    expect(await requestLine()).toMatchObject({
      mode: 'list',
      candidates: 2,
      model: 'b/second-TEE',
      attempts: 2,
      failovers: ['upstream_503'],
      status: 200,
    });
  });

  test("OBS-17: of a relayed failure, has the model's name and the failure", async () => {
    chutes.behave('*', 'bad-gateway');
    const answer = await complete(router, { model: 'a/first,b/second-TEE' });
    expect(await requestLine()).toMatchObject({
      model: 'b/second-TEE',
      attempts: 2,
      failovers: ['upstream_502', 'upstream_502'],
      status: 502,
      ending: 'complete',
      bytes_out: answer.bytes.length,
    });
  });

  test("OBS-17: of the router's own error after attempts, names no model", async () => {
    chutes.behave('*', 'reset');
    const answer = await complete(router, { model: 'a/first,b/second-TEE' });
    expect(await requestLine()).toMatchObject({
      mode: 'list',
      candidates: 2,
      model: null,
      attempts: 2,
      failovers: ['upstream_reset', 'upstream_reset'],
      status: 502,
      ending: 'complete',
      ttfb_ms: MILLISECONDS,
      bytes_out: answer.bytes.length,
    });
  });

  test('OBS-17: of a request that was not understood, has what is known', async () => {
    const answer = await complete(router, '{"model"');
    expect(await requestLine()).toMatchObject({
      mode: 'none',
      candidates: 0,
      model: null,
      attempts: 0,
      failovers: [],
      status: 400,
      ending: 'complete',
      bytes_in: 8,
      bytes_out: answer.bytes.length,
    });
  });

  test('OBS-17: of an upload that is refused half-way, has the bytes that came', async () => {
    await restartRouter({ MAX_REQUEST_BYTES: '1000' });
    const upload = `POST /v1/completions HTTP/1.1\r\nHost: router.test\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const client = await RawClient.open(router.port, `${upload}7d0\r\n${' '.repeat(2000)}\r\n`);
    await client.receives('request_too_large');
    client.close();
    expect(await requestLine()).toMatchObject({ status: 413, ending: 'complete', bytes_in: 2000 });
    expect((await requestLine())['bytes_out']).toBeGreaterThan(100);
  });

  test('OBS-17: of evidence, has the attempt, too', async () => {
    const answer = await ask(router, EVIDENCE);
    expect(await requestLine()).toMatchObject({
      mode: 'none',
      candidates: 0,
      model: 'b/second-TEE',
      attempts: 1,
      failovers: [],
      status: 200,
      bytes_in: 0,
      bytes_out: answer.bytes.length,
    });
  });

  test('OBS-17: of evidence that failed, has the reason', async () => {
    chutes.feed('evidence', 'reset');
    await ask(router, EVIDENCE);
    expect(await requestLine()).toMatchObject({ attempts: 1, failovers: ['upstream_reset'], status: 502 });
  });

  test('OBS-17: of a HEAD, counts no body', async () => {
    await ask(router, EVIDENCE, { method: 'HEAD' });
    expect(await requestLine()).toMatchObject({ status: 200, bytes_out: 0 });
  });

  test('OBS-17: times run from the request to the first byte and to the last', async () => {
    chutes.behave('a/first', { kind: 'normal', firstTokenMs: 100, tokenMs: 50, tokens: 2 });
    await complete(router, { model: 'a/first', stream: true });
    const { ttfb_ms: ttfb, duration_ms: duration } = await requestLine();
    // A timer may fire a little early by the other clock.
    expect(ttfb).toBeGreaterThan(98);
    expect(Number(duration) - Number(ttfb)).toBeGreaterThan(98);
  });
});

describe('the model in it', () => {
  test('OBS-18: is the catalog’s id, however the client spells it', async () => {
    await complete(router, { model: 'a/first:latency' });
    expect(await requestLine()).toMatchObject({ mode: 'direct', model: 'a/first' });
  });

  test('OBS-18: is other if the catalog does not know it', async () => {
    await restartRouter({ MODEL_VALIDATION: 'lenient' });
    await complete(router, { model: 'nobody/knows' });
    expect(await requestLine()).toMatchObject({ mode: 'direct', model: 'other', status: 404 });
  });
});

describe('how it ended', () => {
  test('OBS-17, OBS-19: interrupted where the upstream broke off; the bytes are those that were sent', async () => {
    chutes.behave('a/first', 'cut-stream');
    const client = await RawClient.open(router.port, chatRequest({ model: 'a/first', stream: true }));
    const { body, isComplete } = await client.response();
    expect(isComplete).toBe(false);
    expect(body.toString()).toContain('upstream_stream_interrupted');
    expect(await requestLine()).toMatchObject({
      status: 200,
      ending: 'interrupted',
      bytes_out: body.length,
    });
  });

  test('OBS-17, OBS-19: interrupted where an event stream ends with an unframed error', async () => {
    chutes.behave('a/first', 'unframed-error');
    const answer = await complete(router, { model: 'a/first', stream: true });
    expect(await requestLine()).toMatchObject({
      status: 200,
      ending: 'interrupted',
      bytes_out: answer.bytes.length,
    });
  });

  test('OBS-17, OBS-19: client_gone with the status as sent', async () => {
    chutes.behave('a/first', 'stall');
    const client = await RawClient.open(router.port, chatRequest({ model: 'a/first', stream: true }));
    await client.receives('data: ');
    client.close();
    expect(await requestLine()).toMatchObject({ status: 200, ending: 'client_gone', model: 'a/first' });
  });

  test('OBS-17, OBS-19: client_gone with 499 where nothing was sent', async () => {
    chutes.behave('a/first', 'silent');
    const client = await RawClient.open(router.port, chatRequest({ model: 'a/first' }));
    await chutes.nextRequest();
    client.close();
    expect(await requestLine()).toMatchObject({
      status: 499,
      ending: 'client_gone',
      model: null,
      attempts: 1,
      failovers: [],
      ttfb_ms: null,
      bytes_out: 0,
    });
  });
});

describe('trace ids', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

  test('OBS-20: are taken from a valid traceparent', async () => {
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
    await complete(router, { model: 'a/first' }, { headers: { traceparent } });
    expect(await requestLine()).toMatchObject({ trace_id: TRACE });
  });

  test('OBS-20: are not made of anything else', async () => {
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01-more`;
    await complete(router, { model: 'a/first' }, { headers: { traceparent, 'x-trace-id': TRACE } });
    expect(await requestLine()).not.toHaveProperty('trace_id');
  });
});
