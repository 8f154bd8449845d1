import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Behaviour } from '../src/simulator/faults/misbehaviour.js';
import { StickyStore } from '../src/sticky/sticky.store.js';
import { ask, complete, selectedOf } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { metricsAfter, metricsOf } from './support/metrics.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const NONCE = 'a'.repeat(64);
/** Nobody listens here: ports below 1024 are not given out, and 1 is nobody's. */
const NOWHERE = 'http://127.0.0.1:1';

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
  router = await startRouter(chutes, { UTILIZATION_REFRESH_MS: '50' });
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

async function restartRouter(env: Env): Promise<void> {
  await router.close();
  router = await startRouter(chutes, env);
}

describe('relayed answers', () => {
  test('OBS-4: every one counts by model and status, an error of the upstream, too', async () => {
    const selected = selectedOf(await complete(router, { model: ALIAS }));
    await complete(router, { model: 'b/second-TEE' });
    chutes.behave('b/second-TEE', 'rate-limited', { times: 1 });
    await complete(router, { model: 'b/second-TEE' });
    chutes.behave('b/second-TEE', 'unavailable', { times: 1 });
    await complete(router, { model: 'b/second-TEE' });
    const metrics = await metricsAfter(router, 4);
    const count = (model: string, status: number) => metrics.value('selection_total', { model, status });
    expect(selected).toBe('a/first');
    expect(count('a/first', 200)).toBe(1);
    expect([200, 429, 503].map((status) => count('b/second-TEE', status))).toEqual([1, 1, 1]);
  });

  test('OBS-4: neither a failed candidate nor an error of the router counts', async () => {
    chutes.behave('a/first', 'unavailable');
    await complete(router, { model: 'a/first,b/second-TEE' });
    chutes.behave('*', 'reset');
    await complete(router, { model: 'b/second-TEE' });
    await complete(router, { model: 'unknown/model' });
    const { text } = await metricsAfter(router, 3);
    expect(text.match(/^chutes_autopilot_selection_total.*$/gm)).toEqual([
      'chutes_autopilot_selection_total{model="b/second-TEE",status="200"} 1',
    ]);
  });

  test('OBS-4, OBS-14: a spelling of a catalog id counts as that id, anything else as other', async () => {
    await restartRouter({ MODEL_VALIDATION: 'lenient' });
    await complete(router, { model: 'a/first:latency' });
    await complete(router, { model: 'nobody/knows' });
    const metrics = await metricsAfter(router, 2);
    expect(metrics.value('selection_total', { model: 'a/first', status: 200 })).toBe(1);
    expect(metrics.value('selection_total', { model: 'other', status: 404 })).toBe(1);
  });

  test('OBS-4: evidence counts by its model', async () => {
    await ask(router, `/chutes/b%2Fsecond-TEE/evidence?nonce=${NONCE}`);
    await ask(router, `/chutes/11111111-2222-3333-4444-555555555555/evidence?nonce=${NONCE}`);
    const metrics = await metricsAfter(router, 2);
    expect(metrics.value('selection_total', { model: 'b/second-TEE', status: 200 })).toBe(1);
    expect(metrics.value('selection_total', { model: 'other', status: 404 })).toBe(1);
  });
});

const REASONS: readonly (readonly [string, Behaviour, Env?])[] = [
  ['upstream_reset', { kind: 'reset' }],
  ['upstream_reset', { kind: 'close' }],
  [
    'upstream_invalid_response',
    { kind: 'scripted', script: (exchange) => exchange.raw('SSH-2.0-router\r\n') },
  ],
  [
    'upstream_header_timeout',
    { kind: 'silent' },
    { UPSTREAM_HEADER_TIMEOUT_MS: '100', UPSTREAM_PATIENT_TIMEOUT_MS: '1000' },
  ],
  ['upstream_502', { kind: 'bad-gateway' }],
  ['upstream_503', { kind: 'unavailable' }],
  ['upstream_504', { kind: 'gateway-timeout' }],
  [
    'upstream_first_body_byte_timeout',
    { kind: 'headers-then-silence' },
    { UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '100', UPSTREAM_PATIENT_TIMEOUT_MS: '1000' },
  ],
  ['upstream_first_body_byte_error', { kind: 'reset-after-headers' }],
  ['upstream_empty_body', { kind: 'empty-body' }],
];

describe('failed attempts', () => {
  test.each(REASONS)(
    'OBS-5, OBS-6: %s counts, that of the last attempt, too',
    async (...[reason, behaviour, env]) => {
      if (env) await restartRouter(env);
      chutes.behave('a/first', behaviour);
      await complete(router, { model: 'a/first,b/second-TEE', stream: true });
      const once = await metricsAfter(router, 1);
      expect(once.by('reason', 'failover_reason_total')).toEqual({ [reason]: 1 });
      await complete(router, { model: 'a/first', stream: true });
      const twice = await metricsAfter(router, 2);
      expect(twice.by('reason', 'failover_reason_total')).toEqual({ [reason]: 2 });
    },
  );

  test('OBS-5, OBS-6: upstream_connect_error counts for every candidate that was tried', async () => {
    await restartRouter({ BACKEND_BASE_URL: NOWHERE, EVIDENCE_BASE_URL: NOWHERE });
    await complete(router, { model: 'a/first,b/second-TEE' });
    await ask(router, `/chutes/b%2Fsecond-TEE/evidence?nonce=${NONCE}`);
    const metrics = await metricsAfter(router, 2);
    expect(metrics.by('reason', 'failover_reason_total')).toEqual({ upstream_connect_error: 3 });
  });

  test('OBS-5: a status that is not to be retried is no failed attempt', async () => {
    chutes.behave('a/first', 'rate-limited');
    await complete(router, { model: 'a/first,b/second-TEE' });
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('reason', 'failover_reason_total')).toEqual({});
  });

  test('OBS-6: the statuses among the reasons are those of UPSTREAM_RETRYABLE_STATUSES', async () => {
    await restartRouter({ UPSTREAM_RETRYABLE_STATUSES: '418' });
    chutes.behave('a/first', { kind: 'status', status: 418, body: '{}' });
    chutes.behave('b/second-TEE', 'unavailable');
    await complete(router, { model: 'a/first,b/second-TEE' });
    const metrics = await metricsAfter(router, 1);
    expect(metrics.by('reason', 'failover_reason_total')).toEqual({ upstream_418: 1 });
  });
});

const lookups = async () => (await metricsOf(router)).by('outcome', 'sticky_lookups_total');

describe('pins', () => {
  test('OBS-11: the first lookup misses, the next one hits, direct requests make none', async () => {
    await complete(router, { model: ALIAS });
    expect(await lookups()).toEqual({ miss: 1 });
    await complete(router, { model: ALIAS });
    await complete(router, { model: 'a/first' });
    expect(await lookups()).toEqual({ miss: 1, hit: 1 });
  });

  test('OBS-11: a pin on a model that is no candidate any more is ineligible', async () => {
    await complete(router, { model: ALIAS });
    chutes.utilization = ['b/second-TEE'];
    await eventually(async () => (await metricsOf(router)).value('ready_candidates') === 1);
    expect(selectedOf(await complete(router, { model: ALIAS }))).toBe('b/second-TEE');
    expect(await lookups()).toEqual({ miss: 1, ineligible: 1 });
  });

  test('OBS-11: a store that fails is an error', async () => {
    const store = router.app.get<StickyStore>(StickyStore);
    store.get = async () => Promise.reject(new Error('The store is gone.'));
    expect((await complete(router, { model: ALIAS })).status).toBe(200);
    expect(await lookups()).toEqual({ error: 1 });
  });
});
