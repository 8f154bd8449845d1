import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete, errorOf } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { makeBusy, runningStream } from './support/lifecycle.js';
import { metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const EVIDENCE = `/chutes/ffffffff-0000-4000-8000-00000000000f/evidence?nonce=${'ab'.repeat(32)}`;

let chutes: ChutesSimulator;
let router: TestRouter;
let busy: NodeJS.Timeout | undefined;

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
});

afterEach(async () => {
  clearInterval(busy);
  await router.close();
  await chutes.close();
});

/** From now on every turn of the event loop takes so long. */
function makeTurnsTake(ms: number): void {
  clearInterval(busy);
  busy = setInterval(() => {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  }, 1);
}

function told(text: string): readonly unknown[] {
  return router.logs.filter(({ msg }) => msg === text);
}

test('CFG-50, CFG-51: while turns take too long new work is refused, and nothing else', async () => {
  const models = makeBusy(chutes);
  router = await startRouter(chutes, { OVERLOAD_LAG_MS: '100' });
  const running = await runningStream(router.port, 'a/first');
  const kept = await RawClient.open(router.port);
  const request = { model: 'a/first' };

  makeTurnsTake(160);
  await eventually(() => told('shedding requests').length === 1);
  const arrived = chutes.count();
  for (const answer of [
    await complete(router, request),
    await complete(router, request, { path: '/v1/completions' }),
    await complete(router, request, { path: '/v1/chat/%63ompletions' }),
    await ask(router, EVIDENCE),
  ]) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', code: 'overloaded' });
  }
  await kept.send(chatRequest(request));
  expect((await kept.response()).status).toBe(503);
  for (const path of ['/healthz', '/readyz', '/v1/models']) {
    expect((await ask(router, path)).status).toBe(200);
  }
  const metrics = await metricsOf(router);
  expect(metrics.by('reason', 'requests_shed_total')).toEqual({ lag: 5 });
  expect(metrics.by('status', 'requests_total')).toEqual({ 503: 5 });
  expect(metrics.value('event_loop_lag_seconds')).toBeGreaterThan(0.1);
  expect(chutes.count()).toBe(arrived);

  // What was begun ends whole.
  models.release();
  expect(await running.response()).toMatchObject({ status: 200, isComplete: true });

  clearInterval(busy);
  await eventually(() => told('no longer shedding requests').length === 1);
  await kept.send(chatRequest(request));
  expect((await kept.response()).status).toBe(200);
  kept.close();
  expect(router.logs.filter(({ msg }) => String(msg).endsWith('shedding requests'))).toEqual([
    expect.objectContaining({ level: 'warn', reason: 'lag', lag_ms: expect.any(Number) }),
    expect.objectContaining({ level: 'info', reason: 'lag', requests: 5 }),
  ]);
});

test('CFG-47: with OVERLOAD_LAG_MS=0 nothing is refused for it', async () => {
  router = await startRouter(chutes, { OVERLOAD_LAG_MS: '0' });
  makeTurnsTake(300);
  await eventually(async () => (await metricsOf(router)).value('event_loop_lag_seconds') > 0.25);
  expect((await complete(router, { model: 'chutesai/AutoPilot' })).status).toBe(200);
});

test('OBS-35, OBS-36: requests refused for want of a connection or of memory are counted and told, too', async () => {
  chutes.behave('*', 'silent');
  router = await startRouter(chutes, {
    UPSTREAM_MAX_CONNECTIONS: '1',
    UPSTREAM_CONNECT_TIMEOUT_MS: '200',
    MAX_INFLIGHT_BODY_BYTES: '2000',
  });
  const leaving = new AbortController();
  const first = complete(router, { model: 'chutesai/AutoPilot' }, { signal: leaving.signal });
  await chutes.nextRequest();
  for (let i = 0; i < 2; i += 1) {
    expect((await complete(router, { model: 'chutesai/AutoPilot' })).status).toBe(503);
  }
  expect((await complete(router, { model: 'chutesai/AutoPilot', pad: 'x'.repeat(2_000) })).status).toBe(503);
  expect((await metricsOf(router)).by('reason', 'requests_shed_total')).toEqual({ upstream: 2, body: 1 });
  expect(told('shedding requests')).toEqual([
    expect.objectContaining({ level: 'warn', reason: 'upstream' }),
    expect.objectContaining({ level: 'warn', reason: 'body' }),
  ]);
  leaving.abort();
  await expect(first).rejects.toThrow('aborted');
});
