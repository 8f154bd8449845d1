import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chatRequest } from './support/chat-request.js';
import {
  type BusyModels,
  codeIn,
  makeBusy,
  runningStream,
  runningStreams,
  startReady,
  untilRefused,
} from './support/lifecycle.js';
import { metricsOf } from './support/metrics.js';
import { buildRouter, killProcesses } from './support/process.js';
import { headerOf } from './support/raw-response.js';
import { RawClient } from './support/raw-client.js';
import { eventually } from './support/router.js';

const TEN_MINUTES = '600000';

let chutes: ChutesSimulator;
let models: BusyModels;

// A process takes its time to start where the machine is busy.
jest.setTimeout(120_000);

beforeAll(buildRouter, 120_000);

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  models = makeBusy(chutes);
});

afterEach(async () => {
  await killProcesses();
  await chutes.close();
});

/** A connection that has had an answer and is kept. */
async function keptConnection(port: number): Promise<RawClient> {
  const client = await RawClient.open(port, 'GET /healthz HTTP/1.1\r\nHost: router.test\r\n\r\n');
  expect((await client.response()).status).toBe(200);
  return client;
}

describe('after the drain', () => {
  test('HLT-15, ERR-13: kept connections get one more answer, the 503, and are closed', async () => {
    const { router, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: TEN_MINUTES });
    const running = await runningStream(port, 'a/first');
    const requests = [
      chatRequest({ model: 'a/first' }),
      'GET /v1/models HTTP/1.1\r\nHost: router.test\r\n\r\n',
      'GET /readyz HTTP/1.1\r\nHost: router.test\r\n\r\n',
    ];
    const kept = await Promise.all(requests.map(() => keptConnection(port)));
    router.kill('SIGTERM');
    await untilRefused(port);

    for (const [n, client] of kept.entries()) {
      await client.send(requests[n] ?? '');
      const response = await client.response();
      expect(response).toMatchObject({ status: 503, isComplete: true });
      expect(codeIn(response)).toBe('shutting_down');
      expect(headerOf(response, 'connection')).toBe('close');
      expect(headerOf(response, 'retry-after')).toMatch(/^\d+$/);
      expect(await client.ended).toBe('fin');
    }
    expect(chutes.generations).toHaveLength(1);

    models.release();
    expect((await running.response()).isComplete).toBe(true);
    expect(await router.ended).toEqual([0, null]);
  });

  test('HLT-15: so does a connection whose answer has only just ended', async () => {
    const { router, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: TEN_MINUTES });
    const holding = await runningStream(port, 'b/stalls');
    const client = await runningStream(port, 'a/first');
    router.kill('SIGTERM');
    await untilRefused(port);
    models.release();
    expect((await client.response()).isComplete).toBe(true);
    await client.send(chatRequest({ model: 'a/first' }));
    expect(codeIn(await client.response())).toBe('shutting_down');
    holding.close();
    expect(await router.ended).toEqual([0, null]);
  });

  test('HLT-16: running answers end well, and the process does not wait any longer than they do', async () => {
    const { router, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: TEN_MINUTES });
    const clients = await runningStreams(port, 'a/first', 20);
    router.kill('SIGTERM');
    await untilRefused(port);
    models.release();
    const responses = await Promise.all(clients.map((client) => client.response()));
    expect(responses.filter(({ isComplete }) => isComplete)).toHaveLength(20);
    for (const { body } of responses) expect(body.toString()).toBe('data: {"n":1}\n\ndata: [DONE]\n\n');
    expect(await router.ended).toEqual([0, null]);
  });
});

describe('after the grace time', () => {
  test('HLT-16, ATT-37: 20 streams end, well or with the event, and the rest is told', async () => {
    const { router, url, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: '2000' });
    const inTime = await runningStreams(port, 'a/first', 10);
    const late = await runningStreams(port, 'b/stalls', 10);
    const half = await RawClient.open(port, chatRequest({ model: 'd/half' }));
    await half.receives('{"half":');
    const waiting = await RawClient.open(port, chatRequest({ model: 'c/silent,b/stalls' }));
    const upload = await RawClient.open(port, chatRequest({ model: 'a/first' }).slice(0, -1));
    await eventually(() => chutes.generations.length === 22);
    await eventually(async () => (await metricsOf({ url })).value('requests_active') === 23);

    const signalledAtMs = performance.now();
    router.kill('SIGTERM');
    await untilRefused(port);
    models.release();
    for (const client of inTime) expect((await client.response()).isComplete).toBe(true);

    for (const client of late) {
      const { isComplete, body } = await client.response();
      const lastEvent = body.toString().split('data: ').at(-1) ?? '';
      expect(isComplete).toBe(false);
      expect(JSON.parse(lastEvent)).toEqual({
        error: {
          message: expect.any(String),
          type: 'server_error',
          param: null,
          code: 'shutting_down',
        },
      });
    }
    expect(await half.response()).toMatchObject({ isComplete: false, body: Buffer.from('{"half":') });
    for (const [client, attempts] of [
      [waiting, '1'],
      [upload, undefined],
    ] as const) {
      const response = await client.response();
      expect(response).toMatchObject({ status: 503, isComplete: true });
      expect(codeIn(response)).toBe('shutting_down');
      expect(headerOf(response, 'connection')).toBe('close');
      expect(headerOf(response, 'x-chutes-autopilot-attempts')).toBe(attempts);
    }
    expect(performance.now() - signalledAtMs).toBeGreaterThan(1995);
    expect(await router.ended).toEqual([0, null]);
    const endings = router.logs
      .filter(({ msg }) => msg === 'request')
      .map(({ ending, status }) => [ending, status]);
    expect(endings.filter(([ending]) => ending === 'interrupted')).toHaveLength(11);
    expect(endings.filter(([ending]) => ending === 'complete')).toHaveLength(12);
    expect(endings.filter(([, status]) => status === 503)).toHaveLength(2);
  });

  test('HLT-12: clients that neither read nor write do not keep the process', async () => {
    const flood = Buffer.alloc(16 * 1024 * 1024, 'data: x\n\n');
    const headers = { 'content-type': 'text/event-stream' };
    chutes.behave('a/first', { kind: 'status', status: 200, headers, body: flood });
    const { router, url, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: '100' });
    const silent = await RawClient.open(port);
    const halfHead = await RawClient.open(port, 'POST /v1/chat/completions HTTP/1.1\r\nHost:');
    const deaf = await RawClient.open(port);
    deaf.stopReading();
    await deaf.send(chatRequest({ model: 'a/first', stream: true, httpVersion: '1.0' }));
    const answer = { model: 'a/first', status: 200 };
    await eventually(async () => (await metricsOf({ url })).value('selection_total', answer) === 1);
    router.kill('SIGTERM');
    expect(await router.ended).toEqual([0, null]);
    deaf.readOn();
    expect(await deaf.ended).toBe('reset');
    await Promise.all([silent.ended, halfHead.ended]);
  });
});
