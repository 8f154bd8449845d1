import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { FeedBehaviour, NamedFeedBehaviour } from '../src/simulator/faults/feed-misbehaviour.js';
import { utilizationRow } from '../src/simulator/feeds/simulated-utilization.js';
import { ask, complete, errorOf } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { chosenBy, NEVER, refreshed, RESTLESS, type WatchedFeed } from './support/feed-watch.js';
import { metricsOf } from './support/metrics.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

interface Report {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await chutesWith(['a/one', 'b/two']);
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

async function start(env: Env = {}): Promise<void> {
  router = await startRouter(chutes, env, { awaitReady: false });
}

async function report(): Promise<Report> {
  const { status, text } = await ask(router, '/readyz');
  const body = JSON.parse(text) as Report['body'] & { error?: { code?: string } };
  return { status, code: body.error?.code, body };
}

/** What `/readyz` says as soon as it says this, or ready without a code. */
async function reportOf(code: string | undefined): Promise<Report> {
  let last = await report();
  await eventually(async () => last.code === code || (last = await report()).code === code);
  return last;
}

type Broken = FeedBehaviour | NamedFeedBehaviour;

/** Starts a router and waits until both feeds had their first outcome, which a silent one never has. */
async function startWith(models: Broken, utilization: Broken, env: Env = {}): Promise<void> {
  chutes.feed('models', models);
  chutes.feed('utilization', utilization);
  await start(env);
  if (models !== 'silent') await hadOutcome('models');
  if (utilization !== 'silent') await hadOutcome('utilization');
}

async function hadOutcome(feed: WatchedFeed): Promise<void> {
  await eventually(async () => {
    const metrics = await metricsOf(router);
    return ['ok', 'empty', 'error'].some(
      (outcome) => metrics.value('feed_refresh_total', { feed, outcome }) > 0,
    );
  });
}

describe('ready', () => {
  it("HLT-1: 200 with Terminus's own body", async () => {
    await startWith('normal', 'normal');
    expect(await report()).toEqual({
      status: 200,
      code: undefined,
      body: {
        status: 'ok',
        info: expect.anything(),
        error: {},
        details: {
          process: { status: 'up' },
          allowlist: { status: 'up', models: 2, age_ms: expect.any(Number) },
          snapshot: { status: 'up', candidates: 2, age_ms: expect.any(Number) },
        },
      },
    });
  });

  it('HLT-1: feeds that fail do not matter before what was last good is too old', async () => {
    await startWith('normal', 'normal', RESTLESS);
    chutes.feed('models', 'error');
    chutes.feed('utilization', 'error');
    await refreshed(router, 'models', ['error'], 3);
    await refreshed(router, 'utilization', ['error'], 3);
    expect((await report()).status).toBe(200);
  });
});

/** What the log says of intervals and their limits. */
function warnings(): unknown[] {
  return router.logs.filter(({ level, limit }) => level === 'warn' && limit !== undefined);
}

describe('intervals and age limits', () => {
  it('HLT-19: that leave no room for a missed refresh are one warning each, naming both settings', async () => {
    await start({ UTILIZATION_REFRESH_MS: '10001', MODELS_REFRESH_MS: '300001' });
    expect(warnings()).toEqual([
      expect.objectContaining({
        msg: expect.stringMatching(/^MODELS_REFRESH_MS .*READYZ_MAX_ALLOWLIST_AGE_MS/),
      }),
      expect.objectContaining({
        msg: expect.stringMatching(/^UTILIZATION_REFRESH_MS .*READYZ_MAX_SNAPSHOT_AGE_MS/),
      }),
    ]);
  });

  it('HLT-19: are fine by default', async () => {
    await start();
    expect(warnings()).toEqual([]);
  });
});

describe('not ready', () => {
  it('HLT-2: 503 with an error in the usual shape, and what Terminus found out beside it', async () => {
    chutes.utilization = ['a/one-TEE'];
    await startWith('error', 'normal');
    expect(await report()).toEqual({
      status: 503,
      code: 'missing_allowlist',
      body: {
        error: {
          message: expect.stringMatching(/./),
          type: 'not_ready',
          param: null,
          code: 'missing_allowlist',
        },
        details: {
          process: { status: 'up' },
          allowlist: { status: 'down', code: 'missing_allowlist', models: 0, age_ms: -1 },
          snapshot: { status: 'up', candidates: 1, age_ms: expect.any(Number) },
        },
      },
    });
  });

  it.each<[clause: string, code: string, models: Broken, utilization: Broken]>([
    ['HLT-3', 'allowlist_empty', 'empty', 'normal'],
    ['HLT-3', 'allowlist_empty', answering({ data: [{ name: 'no id' }, null] }), 'normal'],
    ['HLT-9', 'allowlist_empty', 'empty', 'error'],
    ['HLT-4', 'missing_allowlist', 'error', 'normal'],
    ['HLT-9', 'missing_allowlist', 'html', 'silent'],
    ['HLT-9', 'missing_allowlist', 'silent', 'empty'],
    ['HLT-6', 'missing_snapshot', 'normal', 'error'],
    ['HLT-6', 'missing_snapshot', 'normal', 'empty'],
    ['HLT-6', 'missing_snapshot', 'normal', 'silent'],
    ['HLT-7', 'no_candidates', 'normal', answering([{ name: '[private chute]', active_instance_count: 3 }])],
    ['HLT-7', 'no_candidates', 'normal', answering([{ name: 'c/unlisted', active_instance_count: 3 }])],
    ['HLT-7', 'no_candidates', 'normal', answering([{ name: 'a/one', active_instance_count: 0 }])],
  ])('%s: %s where models are %j and utilization %j', async (_clause, code, models, utilization) => {
    await startWith(models, utilization);
    expect(await report()).toMatchObject({ status: 503, code });
  });

  it('HLT-3, HLT-4: what the last answer was decides, as long as no list was ever good', async () => {
    await startWith('empty', 'normal', RESTLESS);
    expect((await report()).code).toBe('allowlist_empty');
    chutes.feed('models', 'error');
    expect((await reportOf('missing_allowlist')).status).toBe(503);
    chutes.feed('models', 'empty');
    expect((await reportOf('allowlist_empty')).status).toBe(503);
    chutes.feed('models', 'normal');
    expect((await reportOf(undefined)).status).toBe(200);
  });

  it.each<[clause: string, code: string, utilization: Broken, env: Env]>([
    ['HLT-5', 'stale_allowlist', 'normal', { READYZ_MAX_ALLOWLIST_AGE_MS: '1' }],
    [
      'HLT-9',
      'stale_allowlist',
      'normal',
      { READYZ_MAX_ALLOWLIST_AGE_MS: '1', READYZ_MAX_SNAPSHOT_AGE_MS: '1' },
    ],
    ['HLT-9', 'stale_allowlist', 'error', { READYZ_MAX_ALLOWLIST_AGE_MS: '1' }],
    ['HLT-9', 'stale_allowlist', answering([{ name: 'c/unlisted' }]), { READYZ_MAX_ALLOWLIST_AGE_MS: '1' }],
    ['HLT-9', 'no_candidates', answering([{ name: 'c/unlisted' }]), { READYZ_MAX_SNAPSHOT_AGE_MS: '1' }],
    ['HLT-8', 'stale_snapshot', 'normal', { READYZ_MAX_SNAPSHOT_AGE_MS: '1' }],
  ])('%s: %s where utilization is %j and the limit %j', async (_clause, code, utilization, env) => {
    await startWith('normal', utilization, {
      ...env,
      MODELS_REFRESH_MS: NEVER,
      UTILIZATION_REFRESH_MS: NEVER,
    });
    const startedAtMs = performance.now();
    await eventually(() => performance.now() > startedAtMs + 2);
    expect(await report()).toMatchObject({ status: 503, code });
  });
});

describe('routing meanwhile', () => {
  it.each<[feed: WatchedFeed, code: string, limit: string]>([
    ['models', 'stale_allowlist', 'READYZ_MAX_ALLOWLIST_AGE_MS'],
    ['utilization', 'stale_snapshot', 'READYZ_MAX_SNAPSHOT_AGE_MS'],
  ])('HLT-10: goes on with the last good %s while /readyz says %s', async (feed, code, limit) => {
    chutes.utilization = [row('a/one', 2), row('b/two', 20)];
    await start({ ...RESTLESS, [limit]: '500' });
    await reportOf(undefined);
    chutes.feed(feed, 'error');
    await reportOf(code);
    expect(await chosenBy(router)).toBe('b/two');
    expect((await report()).code).toBe(code);

    chutes.feed(feed, 'normal');
    expect((await reportOf(undefined)).status).toBe(200);
  });

  it('HLT-10: the model list serves while there is no utilization', async () => {
    await startWith('normal', 'error');
    expect(await chosenBy(router)).toBe('a/one');
    expect((await report()).code).toBe('missing_snapshot');
  });

  it('HLT-10: models that are named serve while there is nothing', async () => {
    await startWith('error', 'error');
    const direct = await complete(router, { model: 'b/two', messages: [] });
    const list = await complete(router, { model: 'b/two,a/one', messages: [] });
    const alias = await complete(router, { model: 'chutesai/AutoPilot', messages: [] });
    expect([direct.status, list.status, alias.status]).toEqual([200, 200, 503]);
    expect(errorOf(alias).code).toBe('no_candidates');
    expect((await report()).code).toBe('missing_allowlist');
  });
});

function answering(root: unknown): FeedBehaviour {
  return { kind: 'body', body: root };
}

function row(name: string, instances: number): unknown {
  return utilizationRow(name, {
    active_instance_count: instances,
    utilization_5m: 0.1,
    rate_limit_ratio_5m: 0,
  });
}
