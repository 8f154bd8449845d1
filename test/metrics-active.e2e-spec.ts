import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Behaviour, NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { AttemptsService } from '../src/proxy/attempts.service.js';
import { MetricsService } from '../src/telemetry/metrics.service.js';
import { ask, complete } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { Metrics, metricsAfter, metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

const EVIDENCE = `/chutes/b%2Fsecond-TEE/evidence?nonce=${'a'.repeat(64)}`;
const UPLOAD = 'POST /v1/completions HTTP/1.1\r\nHost: router.test\r\nContent-Length: 500\r\n\r\n{"model":';
const STREAM = chatRequest({ model: 'a/first', stream: true });

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

const active = async () => (await metricsOf(router)).value('requests_active');

test('OBS-3: requests_active is the number of running requests, in whatever phase they are', async () => {
  chutes.behave('a/first', 'stall');
  chutes.behave('b/second-TEE', 'silent');
  chutes.feed('evidence', 'silent');
  expect(await active()).toBe(0);
  const requests = [
    UPLOAD,
    STREAM,
    STREAM,
    chatRequest({ model: 'b/second-TEE' }),
    `GET ${EVIDENCE} HTTP/1.1\r\nHost: router.test\r\n\r\n`,
  ];
  const clients = await Promise.all(requests.map((request) => RawClient.open(router.port, request)));
  await eventually(async () => (await active()) === 5);
  await ask(router, '/healthz');
  expect(await active()).toBe(5);
  for (const client of clients) client.close();
  await metricsAfter(router, 5);
  expect(await active()).toBe(0);
});

async function restartRouter(env: Env): Promise<void> {
  await router.close();
  router = await startRouter(chutes, env);
}

/** Sends the stream request and waits for the end of its connection. */
async function brokenStream(behaviour: Behaviour | NamedKind): Promise<void> {
  chutes.behave('a/first', behaviour);
  const client = await RawClient.open(router.port, STREAM);
  expect((await client.response()).status).toBe(200);
}

const ENDINGS: Readonly<Record<string, () => Promise<unknown>>> = {
  'a complete answer': () => complete(router, { model: 'a/first' }),
  'a complete stream': () => complete(router, { model: 'a/first', stream: true }),
  evidence: () => ask(router, EVIDENCE),
  'HEAD of evidence': () => ask(router, EVIDENCE, { method: 'HEAD' }),
  'a request that is refused': () => complete(router, { model: 'unknown/model' }),
  'an upload that is too large': async () => {
    const client = await RawClient.open(router.port, UPLOAD.replace('500', '5000'));
    await client.receives('request_too_large');
  },
  'an upload that takes too long': async () => {
    await restartRouter({ REQUEST_BODY_TIMEOUT_MS: '100' });
    const client = await RawClient.open(router.port, UPLOAD);
    await client.receives('request_timeout');
  },
  'an upload whose framing breaks': async () => {
    const chunked = UPLOAD.replace('Content-Length: 500', 'Transfer-Encoding: chunked');
    const client = await RawClient.open(router.port, `${chunked.slice(0, -9)}no length\r\n`);
    await client.receives('bad_request');
  },
  'an upload that is left': async () => {
    const client = await RawClient.open(router.port, UPLOAD);
    await eventually(async () => (await active()) === 1);
    client.reset();
  },
  'an upstream that resets': () => {
    chutes.behave('a/first', 'reset');
    return complete(router, { model: 'a/first' });
  },
  'an upstream that is silent': async () => {
    await restartRouter({ UPSTREAM_PATIENT_TIMEOUT_MS: '100' });
    chutes.behave('a/first', 'silent');
    await complete(router, { model: 'a/first' });
  },
  'an answer that is cut': () => brokenStream('cut-stream'),
  'an answer that ends with an unframed error': () => brokenStream('unframed-error'),
  'an answer that stalls': async () => {
    await restartRouter({ UPSTREAM_IDLE_TIMEOUT_MS: '200' });
    await brokenStream('stall');
  },
  'a client that does not read': async () => {
    await restartRouter({ CLIENT_STALL_TIMEOUT_MS: '200' });
    const body = Buffer.alloc(32 * 1024 * 1024);
    chutes.behave('a/first', { kind: 'status', status: 200, body });
    const client = await RawClient.open(router.port);
    client.stopReading();
    await client.send(STREAM);
    // The cut is seen once there is something to read again.
    await eventually(async () => (await metricsOf(router)).value('requests_total', { status: 200 }) === 1);
    client.close();
  },
  'a failure that nothing expected': () => {
    router.app.get(AttemptsService).run = () => {
      throw new Error('Unexpected.');
    };
    return complete(router, { model: 'a/first' });
  },
};

describe('however a request ends', () => {
  test.each(Object.keys(ENDINGS))('OBS-3: requests_active returns to 0 after %s', async (ending) => {
    await ENDINGS[ending]?.();
    const metrics = await metricsAfter(router, 1);
    expect(metrics.value('requests_active')).toBe(0);
    expect(metrics.value('requests_total', { status: 499 })).toBe(ending.endsWith('is left') ? 1 : 0);
  });

  test('OBS-1, OBS-3: requests_active returns to 0 after a shutdown, what it refuses included', async () => {
    chutes.behave('a/first', 'stall');
    chutes.behave('b/second-TEE', 'silent');
    const kept = await RawClient.open(router.port, 'GET /healthz HTTP/1.1\r\nHost: router.test\r\n\r\n');
    await kept.response();
    const requests = [UPLOAD, STREAM, chatRequest({ model: 'b/second-TEE' })];
    await Promise.all(requests.map((request) => RawClient.open(router.port, request)));
    await eventually(async () => (await active()) === 3);

    const lifecycle = router.app.get(LifecycleService);
    const stopped = lifecycle.stop();
    await eventually(() => !router.app.getHttpServer().listening);
    await kept.send(chatRequest({ model: 'a/first' }));
    expect((await kept.response()).status).toBe(503);
    lifecycle.hurryUp();
    await stopped;
    const metrics = new Metrics(await router.app.get(MetricsService).registry.metrics());
    expect(metrics.value('requests_active')).toBe(0);
    expect(metrics.by('status', 'requests_total')).toEqual({ 200: 1, 503: 3 });
  });
});
