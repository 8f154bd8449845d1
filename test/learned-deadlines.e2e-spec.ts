import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { FirstTokensService } from '../src/ranking/first-tokens.service.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { type Answer, complete, selectedOf } from './support/ask.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

// A learned deadline takes five seconds at least.
jest.setTimeout(120_000);

const [A, B] = ['m/a', 'm/b'] as const;
const LIST = `${A},${B}`;

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = [A, B];
  chutes.utilization = [A, B].map((name, place) => ({ name, active_instance_count: 9 - place }));
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

async function start(env: Env = {}): Promise<void> {
  router = await startRouter(chutes, { STICKY_TTL_SECS: '0', UPSTREAM_PATIENT_TIMEOUT_MS: '60000', ...env });
}

async function ask(model: string, stream = true): Promise<Answer> {
  return complete(router, { model, stream });
}

async function hurry(requests: number, stream = true): Promise<void> {
  for (let n = 0; n < requests; n += 1) expect((await ask(B, stream)).status).toBe(200);
}

test('CDN-10: a first attempt makes way when streams have been fast, though the setting would let it wait', async () => {
  await start();
  await hurry(20);
  chutes.behave(A, 'silent', { times: 1 });
  const answer = await ask(LIST);
  expect(selectedOf(answer)).toBe(B);
  await eventually(() => router.requestLogs.length === 21);
  const { duration_ms: ms, failovers } = router.requestLogs.at(-1) ?? {};
  expect(failovers).toEqual(['upstream_header_timeout']);
  expect(Number(ms)).toBeGreaterThanOrEqual(4_990);
  expect(Number(ms)).toBeLessThan(29_000);
});

test('CDN-10: nor does it wait for the first byte behind its headers', async () => {
  await start();
  await hurry(20);
  chutes.behave(A, 'headers-then-silence', { times: 1 });
  expect(selectedOf(await ask(LIST))).toBe(B);
  await eventually(() => router.requestLogs.length === 21);
  expect(router.requestLogs.at(-1)).toMatchObject({ failovers: ['upstream_first_body_byte_timeout'] });
});

test.each<[string, Env, number, boolean, string, boolean]>([
  ['too few streams', {}, 19, true, LIST, true],
  ['answers that were not streamed', {}, 25, false, LIST, true],
  ['LEARNED_DEADLINES=false', { LEARNED_DEADLINES: 'false' }, 20, true, LIST, true],
  ['a request that is not streamed', {}, 20, true, LIST, false],
  ['a direct request', {}, 20, true, A, true],
])(
  'CDN-10, CDN-12: with %s the settings alone count',
  async (_, env, requests, wereStreams, model, stream) => {
    await start(env);
    await hurry(requests, wereStreams);
    chutes.behave(A, { kind: 'slow-headers', ms: 6_500 }, { times: 1 });
    expect((await ask(model, stream)).status).toBe(200);
    await eventually(() => router.requestLogs.length === requests + 1);
    expect(router.requestLogs.at(-1)).toMatchObject({ model: A, failovers: [] });
  },
);

test('RNK-15, RNK-16: the first bytes of whole streams are measured, whatever mode they came in', async () => {
  await start();
  const tokens = router.app.get(FirstTokensService);
  const signals: number[] = [];
  const subscription = tokens.changes.subscribe(() => signals.push(performance.now()));
  chutes.behave(A, { kind: 'slow-first-token', ms: 300 }, { times: 5 });
  const models = [LIST, A, `${A},`, 'chutesai/AutoPilot'];
  for (const model of models) expect((await ask(model)).status).toBe(200);
  await eventually(() => router.requestLogs.length === models.length);
  expect(router.requestLogs.map(({ model }) => model)).toEqual(models.map(() => A));
  expect(tokens.medianS(A)).toBeUndefined();
  await ask(A);
  // What breaks, fails or was not streamed says nothing.
  chutes.behave(B, 'cut-stream', { times: 3 });
  for (let n = 0; n < 3; n += 1) await ask(B).catch(() => undefined);
  chutes.behave(B, 'unauthorized', { times: 3 });
  for (let n = 0; n < 3; n += 1) await ask(B);
  for (let n = 0; n < 5; n += 1) await ask(B, false);
  await eventually(() => tokens.medianS(A) !== undefined);
  expect(tokens.medianS(A)).toBeGreaterThan(0.29);
  expect(tokens.medianS(A)).toBeLessThan(10);
  expect(tokens.medianS(B)).toBeUndefined();
  await eventually(() => signals.length > 0);
  await hurry(50);
  await eventually(() => tokens.medianS(B) !== undefined);
  subscription.unsubscribe();
  const steps = signals.slice(1).map((atMs, n) => atMs - (signals[n] ?? 0));
  expect(steps.filter((ms) => ms < 990)).toEqual([]);
});
