import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chatRequest } from './support/chat-request.js';
import {
  type BusyModels,
  codeIn,
  makeBusy,
  runningStream,
  startReady,
  untilRefused,
} from './support/lifecycle.js';
import { buildRouter, killProcesses, startProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { environmentFor, eventually } from './support/router.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Without a listener, Node opens its debugger at the first and ends at the second. */
const USER_SIGNALS = ['SIGUSR1', 'SIGUSR2'] as const;
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

describe('a signal', () => {
  test.each(SIGNALS)('HLT-12: %s ends an idle router with 0', async (signal) => {
    const { router } = await startReady(chutes);
    router.kill(signal);
    expect(await router.ended).toEqual([0, null]);
    expect(router.stderr).toBe('');
  });

  test.each(SIGNALS)('HLT-12: %s ends a router that is still being loaded, with 0', async (signal) => {
    const router = await startProcess(environmentFor(chutes.url), signalWhileLoading(signal));
    expect(await router.ended).toEqual([0, null]);
    expect(router.stderr).toBe('');
  });

  test.each(USER_SIGNALS)(
    'HLT-25: %s does nothing, before the router listens or afterwards',
    async (signal) => {
      const router = await startProcess(environmentFor(chutes.url), signalWhileLoading(signal));
      const port = Number(new URL(await router.url).port);
      await eventually(async () => (await fetch(`${await router.url}/readyz`)).ok);
      const running = await runningStream(port, 'a/first');
      router.kill(signal);
      // The debugger opens in a thread of its own. Signals are taken in their order.
      router.kill('SIGTERM');
      await untilRefused(port);
      models.release();
      expect((await running.response()).isComplete).toBe(true);
      expect(await router.ended).toEqual([0, null]);
      expect(router.stderr).toBe('');
    },
  );

  test('HLT-12, HLT-16: SIGHUP lets running answers end, as SIGTERM does', async () => {
    const { router, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: TEN_MINUTES });
    const running = await runningStream(port, 'a/first');
    router.kill('SIGHUP');
    await untilRefused(port);
    models.release();
    expect((await running.response()).isComplete).toBe(true);
    expect(await router.ended).toEqual([0, null]);
  });

  test('HLT-12: SIGTERM ends a router that has just fetched its first feed, with 0', async () => {
    const router = await startProcess(environmentFor(chutes.url));
    await chutes.nextRequest('/v1/models', 30_000);
    router.kill('SIGTERM');
    expect(await router.ended).toEqual([0, null]);
  });
});

describe('the drain', () => {
  test('HLT-13, HLT-14: only readiness changes; then nobody gets in any more', async () => {
    const drainMs = 2500;
    const { router, url, port } = await startReady(chutes, { SHUTDOWN_DRAIN_MS: String(drainMs) });
    const signalledAtMs = performance.now();
    router.kill('SIGTERM');
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 503);
    const probe = await fetch(`${url}/readyz`);
    expect(await probe.json()).toMatchObject({ error: { type: 'not_ready', code: 'shutting_down' } });

    models.release();
    const client = await RawClient.open(port, chatRequest({ model: 'a/first', stream: true }));
    expect(await client.response()).toMatchObject({ status: 200, isComplete: true });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    await untilRefused(port);
    expect(performance.now() - signalledAtMs).toBeGreaterThan(drainMs - 5);
    expect(await router.ended).toEqual([0, null]);
  });

  test('HLT-13: shutting_down goes before every other reason', async () => {
    chutes.feed('models', 'error');
    chutes.feed('utilization', 'error');
    const router = await startProcess({ ...environmentFor(chutes.url), SHUTDOWN_DRAIN_MS: TEN_MINUTES });
    const url = await router.url;
    const code = async () =>
      ((await (await fetch(`${url}/readyz`)).json()) as { error: { code: string } }).error.code;
    await eventually(async () => (await code()) === 'missing_allowlist');
    router.kill('SIGTERM');
    await eventually(async () => (await code()) !== 'missing_allowlist');
    expect(await code()).toBe('shutting_down');
  });
});

describe('a second signal', () => {
  test.each([
    ['the drain', { SHUTDOWN_DRAIN_MS: TEN_MINUTES, SHUTDOWN_GRACE_MS: TEN_MINUTES }],
    ['the grace time', { SHUTDOWN_DRAIN_MS: '0', SHUTDOWN_GRACE_MS: TEN_MINUTES }],
  ])('HLT-18, HLT-17: ends %s at once, running answers as broken ones', async (_, env) => {
    const { router, port } = await startReady(chutes, env);
    const running = await runningStream(port, 'b/stalls');
    const waiting = await RawClient.open(port, chatRequest({ model: 'c/silent' }));
    await eventually(() => chutes.generations.length === 2);
    router.kill('SIGTERM');
    if (env.SHUTDOWN_DRAIN_MS === '0') await untilRefused(port);
    else await eventually(() => router.logs.some(({ msg }) => msg === 'shutting down'));
    router.kill('SIGINT');

    const { isComplete, body } = await running.response();
    expect(isComplete).toBe(false);
    expect(body.toString()).toMatch(/data: \{"error":\{.*"code":"shutting_down"\}\}\n\n$/);
    expect(codeIn(await waiting.response())).toBe('shutting_down');
    expect(await router.ended).toEqual([0, null]);
  });
});

test('HLT-12: an upstream that does not let go of its connections does not keep the process', async () => {
  const { router, port } = await startReady(chutes, { SHUTDOWN_GRACE_MS: '0' });
  const client = await RawClient.open(port, chatRequest({ model: 'c/silent' }));
  const recorded = await chutes.nextRequest();
  router.kill('SIGTERM');
  expect(codeIn(await client.response())).toBe('shutting_down');
  expect(await recorded.ended).toBe('client-gone');
  expect(await router.ended).toEqual([0, null]);
});

/** Flags of Node with which the router gets a signal in the middle of its loading: no luck is needed to be in time. */
function signalWhileLoading(signal: NodeJS.Signals): readonly string[] {
  const preload = `import { registerHooks } from 'node:module';
    registerHooks({
      load(url, context, next) {
        if (url.endsWith('/app.factory.js')) process.kill(process.pid, '${signal}');
        return next(url, context);
      },
    });`;
  return [`--import=data:text/javascript,${encodeURIComponent(preload)}`];
}
