import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { utilizationRow } from '../src/simulator/feeds/simulated-utilization.js';
import { chutesWith } from './support/chutes-with.js';
import { metricsOf } from './support/metrics.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE', 'c/third'], {
    utilization: ['a/first', 'b/second-TEE'],
  });
});

afterEach(async () => {
  await router?.close();
  await chutes.close();
});

test('OBS-7: before the feeds are loaded ages are -1, and there is nothing to choose from', async () => {
  chutes.feed('models', 'silent');
  chutes.feed('utilization', 'silent');
  router = await startRouter(chutes, {}, { awaitReady: false });
  const { text } = await metricsOf(router);
  expect(text.match(/^chutes_autopilot_ready.*$/gm)?.toSorted()).toEqual([
    'chutes_autopilot_ready_allowlist_age_ms -1',
    'chutes_autopilot_ready_allowlist_size 0',
    'chutes_autopilot_ready_candidates 0',
    'chutes_autopilot_ready_snapshot_age_ms -1',
  ]);
});

test('OBS-7: sizes are those of the model list and of the ranking', async () => {
  router = await startRouter(chutes);
  const metrics = await metricsOf(router);
  expect(metrics.value('ready_allowlist_size')).toBe(3);
  expect(metrics.value('ready_candidates')).toBe(2);
});

test('OBS-7: ages are computed at each scrape, not at each refresh', async () => {
  router = await startRouter(chutes);
  const before = await metricsOf(router);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const after = await metricsOf(router);
  for (const name of ['ready_allowlist_age_ms', 'ready_snapshot_age_ms']) {
    expect(before.value(name)).toBeGreaterThan(0);
    expect(after.value(name)).toBeGreaterThanOrEqual(before.value(name) + 49);
  }
  expect(chutes.count('/v1/models')).toBe(1);
});

test.each(['models', 'utilization'] as const)(
  'OBS-9: refreshes of %s count by their outcome',
  async (feed) => {
    router = await startRouter(chutes, { MODELS_REFRESH_MS: '30', UTILIZATION_REFRESH_MS: '30' });
    const { url } = router;
    const counts = async (outcome: string) =>
      (await metricsOf({ url })).value('feed_refresh_total', { feed, outcome });
    expect(await counts('ok')).toBeGreaterThan(0);
    expect(await counts('empty')).toBe(0);
    chutes.feed(feed, 'empty');
    await eventually(async () => (await counts('empty')) > 1);
    expect(await counts('error')).toBe(0);
    chutes.feed(feed, 'error');
    await eventually(async () => (await counts('error')) > 1);
    const before = await counts('ok');
    chutes.feed(feed, 'normal');
    await eventually(async () => (await counts('ok')) > before + 1);
  },
);

test('OBS-9, OBS-14: there are no other feeds and outcomes', async () => {
  chutes.feed('models', 'wrong-root');
  chutes.feed('utilization', 'redirect');
  router = await startRouter(chutes, {}, { awaitReady: false });
  const { url } = router;
  const errors = async (feed: string) =>
    (await metricsOf({ url })).value('feed_refresh_total', { feed, outcome: 'error' });
  await eventually(async () => (await errors('models')) > 0 && (await errors('utilization')) > 0);
  const { series } = await metricsOf({ url });
  expect(series.filter((key) => key.includes('feed_refresh_total'))).toEqual(
    ['models', 'stats', 'utilization'].flatMap((feed) =>
      ['empty', 'error', 'ok'].map(
        (outcome) => `chutes_autopilot_feed_refresh_total{feed=${feed},outcome=${outcome}}`,
      ),
    ),
  );
});

test('OBS-10: rows that cannot be used count by feed', async () => {
  chutes.models = ['a/first', {}, { id: 7 }];
  chutes.utilization = [
    'a/first',
    {},
    { name: '' },
    utilizationRow('b/second-TEE', { utilization_5m: '0.5' as unknown as number }),
  ];
  router = await startRouter(chutes);
  const metrics = await metricsOf(router);
  expect(metrics.by('feed', 'feed_rows_skipped_total')).toEqual({ models: 2, utilization: 3 });
});
