import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { metricsAfter, metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const CHUTE = '11111111-2222-3333-4444-555555555555';
const EVIDENCE = `/chutes/${CHUTE}/evidence?nonce=${'a'.repeat(64)}`;

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
  router = await startRouter(chutes, { MAX_REQUEST_BYTES: '1000' });
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

/** The beginning of an upload that goes no further. */
const UPLOAD =
  'POST /v1/chat/completions HTTP/1.1\r\nHost: router.test\r\nContent-Length: 500\r\n\r\n{"model":';

describe('requests', () => {
  test('OBS-1: those to the POST routes and to evidence count, no others', async () => {
    for (const path of ['/v1/models', '/v1/models/a/first', '/healthz', '/readyz', '/metrics', '/nowhere']) {
      await ask(router, path);
    }
    await ask(router, '/v1/chat/completions');
    await complete(router, { model: 'a/first' });
    await complete(router, { model: 'a/first', prompt: 'Hi' }, { path: '/v1/completions' });
    await ask(router, EVIDENCE);
    const metrics = await metricsAfter(router, 3);
    expect(metrics.value('request_duration_seconds_count', { mode: 'direct' })).toBe(2);
    expect(metrics.value('request_duration_seconds_count', { mode: 'none' })).toBe(1);
  });

  test("OBS-2: they count by the status sent, be it the upstream's or the router's own", async () => {
    await complete(router, { model: 'a/first' });
    await complete(router, { model: 'a/first', stream: true });
    await complete(router, { model: 'a/first' }, { headers: { authorization: 'Bearer cpk_invalid' } });
    chutes.behave('a/first', 'rate-limited', { times: 1 });
    await complete(router, { model: 'a/first' });
    chutes.behave('a/first', 'reset', { times: 1 });
    await complete(router, { model: 'a/first' });
    await complete(router, '{"model":');
    await complete(router, ' '.repeat(1001));
    await ask(router, '/chutes/unknown/evidence?nonce=1');
    const metrics = await metricsAfter(router, 8);
    expect(metrics.by('status', 'requests_total')).toEqual({
      200: 2,
      400: 2,
      401: 1,
      413: 1,
      429: 1,
      502: 1,
    });
  });

  test('OBS-2: an answer that the router had to break off counts by the status it began with', async () => {
    chutes.behave('a/first', 'cut-stream');
    const client = await RawClient.open(router.port, chatRequest({ model: 'a/first', stream: true }));
    expect((await client.response()).isComplete).toBe(false);
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('status', 'requests_total')).toEqual({ 200: 1 });
    expect(metrics.by('phase', 'client_aborts_total')).toEqual({});
  });

  test('OBS-2: an upload that is refused counts by its status, even if the client leaves at once', async () => {
    const tooLarge = UPLOAD.replace('500', '5000');
    const client = await RawClient.open(router.port, tooLarge);
    await client.receives('request_too_large');
    client.close();
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('status', 'requests_total')).toEqual({ 413: 1 });
    expect(metrics.by('phase', 'client_aborts_total')).toEqual({});
  });
});

describe('clients that leave', () => {
  test.each(['close', 'reset'] as const)('OBS-2, OBS-12: during the upload, with a %s', async (leave) => {
    const client = await RawClient.open(router.port, UPLOAD);
    await eventually(async () => (await metricsOf(router)).value('requests_active') === 1);
    client[leave]();
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('status', 'requests_total')).toEqual({ 499: 1 });
    expect(metrics.by('phase', 'client_aborts_total')).toEqual({ upload: 1 });
    expect(chutes.generations).toEqual([]);
  });

  test.each([
    ['a chat completion', chatRequest({ model: 'a/first' })],
    ['a stream', chatRequest({ model: `${ALIAS},a/first`, stream: true })],
    ['evidence', `GET ${EVIDENCE} HTTP/1.1\r\nHost: router.test\r\n\r\n`],
  ])('OBS-2, OBS-12: while %s is being waited for', async (_, request) => {
    chutes.behave('*', 'silent');
    chutes.feed('evidence', 'silent');
    const before = chutes.requests.length;
    const client = await RawClient.open(router.port, request);
    await eventually(() => chutes.requests.length > before);
    client.close();
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('status', 'requests_total')).toEqual({ 499: 1 });
    expect(metrics.by('phase', 'client_aborts_total')).toEqual({ waiting: 1 });
    expect(metrics.by('reason', 'failover_reason_total')).toEqual({});
  });

  test('OBS-2, OBS-12: in the middle of an answer', async () => {
    chutes.behave('a/first', 'stall');
    const client = await RawClient.open(router.port, chatRequest({ model: 'a/first', stream: true }));
    await client.receives('data: ');
    client.close();
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('status', 'requests_total')).toEqual({ 499: 1 });
    expect(metrics.by('phase', 'client_aborts_total')).toEqual({ streaming: 1 });
    expect(metrics.value('selection_total', { model: 'a/first', status: 200 })).toBe(1);
  });
});

describe('durations', () => {
  test('OBS-8: requests are timed by mode', async () => {
    await complete(router, { model: ALIAS });
    await complete(router, { model: ALIAS });
    await complete(router, { model: 'a/first,b/second-TEE' });
    await complete(router, { model: 'a/first' });
    await complete(router, { model: 'unknown/model' });
    await complete(router, 'not JSON');
    const metrics = await metricsAfter(router, 6);
    const byMode = { alias: 2, list: 1, direct: 2, none: 1 };
    expect(metrics.by('mode', 'request_duration_seconds_count')).toEqual(byMode);
    expect(metrics.by('mode', 'time_to_first_byte_seconds_count')).toEqual(byMode);
    expect(metrics.by('mode', 'overhead_seconds_count')).toEqual({ alias: 2, list: 1, direct: 1 });
  });

  test("OBS-8: overhead leaves out the attempts' own time, the first byte the rest of the answer", async () => {
    chutes.behave('a/first', { kind: 'slow-headers', ms: 200 });
    chutes.behave('b/second-TEE', {
      kind: 'scripted',
      script: async (exchange) => {
        await exchange.sleep(200);
        await exchange.head(200, { 'content-type': 'application/json' });
        await exchange.write('{');
        await exchange.sleep(200);
        await exchange.end('}');
      },
    });
    await complete(router, { model: 'a/first' });
    await complete(router, { model: 'b/second-TEE' });
    const metrics = await metricsAfter(router, 2);
    const sum = (name: string) => metrics.value(`${name}_seconds_sum`, { mode: 'direct' });
    // A timer may fire a little early by the other clock.
    expect(sum('overhead')).toBeGreaterThan(0);
    expect(sum('overhead') + 0.39).toBeLessThan(sum('time_to_first_byte'));
    expect(sum('time_to_first_byte') + 0.19).toBeLessThan(sum('request_duration'));
  });

  test('OBS-8: a client that leaves before the first byte has no time to it', async () => {
    chutes.behave('a/first', 'silent');
    const client = await RawClient.open(router.port, chatRequest({ model: 'a/first' }));
    await chutes.nextRequest();
    client.close();
    const metrics = await metricsAfter(router, 1);
    expect(metrics.has('request_duration_seconds_count', { mode: 'direct' })).toBe(true);
    expect(metrics.has('time_to_first_byte_seconds_count', { mode: 'direct' })).toBe(false);
  });
});

describe('the rest', () => {
  test("OBS-13: Node's default process metrics are there", async () => {
    const { text } = await metricsOf(router);
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'nodejs_heap_size_used_bytes',
    ]) {
      expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });

  test('OBS-14: what clients send makes no new label value', async () => {
    const lenient = await startRouter(chutes, { MODEL_VALIDATION: 'lenient' });
    try {
      await sendOddRequests(lenient, 'one');
      const { series } = await metricsAfter(lenient, 7);
      await sendOddRequests(lenient, 'other');
      const after = await metricsAfter(lenient, 14);
      expect(after.series).toEqual(series);
      expect(after.valuesOf('model')).toEqual(['a/first', 'other']);
      expect(after.valuesOf('mode')).toEqual(['alias', 'direct', 'list', 'none']);
      expect(after.valuesOf('status')).toEqual(['200', '400', '404']);
    } finally {
      await lenient.close();
    }
  });
});

async function sendOddRequests(to: TestRouter, mark: string): Promise<void> {
  const headers = {
    'x-session-id': mark,
    'x-request-id': mark,
    authorization: `Bearer ${mark}`,
    cookie: mark,
  };
  for (const model of [ALIAS, `a/first:${mark}`, `none/${mark}`, `none/${mark},none/${mark}-2`, '']) {
    await complete(to, { model }, { headers, path: `/v1/chat/completions?q=${mark}` });
  }
  await complete(to, mark, { headers });
  await ask(to, `/chutes/${mark}/evidence?nonce=${mark}`, { headers });
  await ask(to, `/${mark}`, { headers, method: 'DELETE' });
}
