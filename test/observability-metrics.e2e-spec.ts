import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { giveFeeds, sendAllSorts } from './support/all-sorts.js';
import { metricsOf } from './support/metrics.js';
import { startRouter, type TestRouter } from './support/router.js';

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  giveFeeds(chutes);
  router = await startRouter(chutes, { COOLDOWN_FAILURES: '2' });
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

test('OBS-23: these metrics there are, with these labels, and no others', async () => {
  await sendAllSorts(router, chutes);
  const { text } = await metricsOf(router);
  const found = [...text.matchAll(/^# TYPE chutes_autopilot_(\w+) (\w+)$/gm)].map(([, name = '', type]) => {
    const suffix = type === 'histogram' ? '_count' : '';
    const labels = new RegExp(`^chutes_autopilot_${name}${suffix}(?:\\{(.*)\\})? `, 'm').exec(text)?.[1];
    return `${name} ${type} ${labels?.replaceAll(/="[^"]*"/g, '') ?? ''}`.trimEnd();
  });
  const document = readFileSync('docs/observability.md', 'utf8');
  expect(found.filter((metric) => !document.includes(`\`${metric.split(' ', 1)[0]}\``))).toEqual([]);
  expect(found.toSorted()).toEqual([
    'client_aborts_total counter phase',
    'connections gauge',
    'connections_refused_total counter',
    'cooldowns_total counter model',
    'cooling_models gauge',
    'event_loop_lag_seconds gauge',
    'excluded_total counter reason',
    'failover_reason_total counter reason',
    'feed_refresh_total counter feed,outcome',
    'feed_rows_skipped_total counter feed',
    'overhead_seconds histogram mode',
    'probes_total counter outcome',
    'ready_allowlist_age_ms gauge',
    'ready_allowlist_size gauge',
    'ready_candidates gauge',
    'ready_snapshot_age_ms gauge',
    'refusals_total counter kind',
    'request_duration_seconds histogram mode',
    'requests_active gauge',
    'requests_shed_total counter reason',
    'requests_total counter status',
    'selection_total counter model,status',
    'sticky_lookups_total counter outcome',
    'sticky_write_errors_total counter',
    'time_to_first_byte_seconds histogram mode',
  ]);
});

test.each([
  ['request_duration_seconds', 0.005, 600],
  ['time_to_first_byte_seconds', 0.005, 600],
  ['overhead_seconds', 0.000_05, 0.25],
])('OBS-25: %s tells times from %d s to %d s apart', async (name, least, most) => {
  await sendAllSorts(router, chutes);
  const { text } = await metricsOf(router);
  const buckets = text.matchAll(
    new RegExp(`^chutes_autopilot_${name}_bucket\\{le="([\\d.]+)",mode="alias"`, 'gm'),
  );
  const bounds = [...buckets].map(([, bound]) => Number(bound));
  expect(bounds[0]).toBe(least);
  expect(bounds.at(-1)).toBe(most);
  const steps = bounds.slice(1).map((bound, n) => bound / (bounds[n] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(5);
});

test('OBS-26: what can be counted begins at 0', async () => {
  const { text } = await metricsOf(router);
  const zeros = [
    ...text.matchAll(/^chutes_autopilot_(client_aborts|sticky_lookups|feed_refresh)_total(.*) 0$/gm),
  ];
  expect(zeros.map(([, name, labels]) => `${name}${labels}`).toSorted()).toEqual([
    'client_aborts{phase="streaming"}',
    'client_aborts{phase="upload"}',
    'client_aborts{phase="waiting"}',
    'feed_refresh{feed="models",outcome="empty"}',
    'feed_refresh{feed="models",outcome="error"}',
    'feed_refresh{feed="stats",outcome="empty"}',
    'feed_refresh{feed="stats",outcome="error"}',
    'feed_refresh{feed="stats",outcome="ok"}',
    'feed_refresh{feed="utilization",outcome="empty"}',
    'feed_refresh{feed="utilization",outcome="error"}',
    'sticky_lookups{outcome="error"}',
    'sticky_lookups{outcome="hit"}',
    'sticky_lookups{outcome="ineligible"}',
    'sticky_lookups{outcome="miss"}',
  ]);
});
