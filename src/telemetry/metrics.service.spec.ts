import { describe, expect, test } from '@jest/globals';
import { Metrics } from '../../test/support/metrics.js';
import { MetricsService } from './metrics.service.js';

async function scrape({ registry }: MetricsService): Promise<Metrics> {
  return new Metrics(await registry.metrics());
}

describe('a scrape', () => {
  test.each([1, 1_000])('OBS-2, OBS-8: has all of %i requests at once', async (n) => {
    const service = new MetricsService();
    for (let i = 0; i < n; i += 1) {
      service.requestStarted();
      service.firstByteSent('list', 1_000);
      service.requestFinished('list', 200, 2_000);
    }
    const metrics = await scrape(service);
    expect(metrics.by('status', 'requests_total')).toEqual({ 200: n });
    expect(metrics.value('time_to_first_byte_seconds_sum', { mode: 'list' })).toBe(n);
    expect(metrics.value('request_duration_seconds_sum', { mode: 'list' })).toBe(2 * n);
    expect(metrics.value('request_duration_seconds_count', { mode: 'list' })).toBe(n);
  });

  test('OBS-2, OBS-8: counts nothing twice', async () => {
    const service = new MetricsService();
    for (let n = 1; n <= 3; n += 1) {
      service.requestStarted();
      service.requestFinished('direct', 429, 0);
      const metrics = await scrape(service);
      expect(metrics.by('status', 'requests_total')).toEqual({ 429: n });
      expect(metrics.value('request_duration_seconds_count', { mode: 'direct' })).toBe(n);
    }
  });

  test('OBS-3: has the requests that are running at that moment', async () => {
    const service = new MetricsService();
    const active = async () => (await scrape(service)).value('requests_active');
    expect(await active()).toBe(0);
    service.requestStarted();
    service.requestStarted();
    expect(await active()).toBe(2);
    service.requestFinished('none', 200, 0);
    expect(await active()).toBe(1);
  });
});

describe('a metric that is read alone', () => {
  test.each<[clause: string, name: string, labels: object, note: (service: MetricsService) => void]>([
    ['OBS-2', 'requests_total', { status: 200 }, (it) => it.requestFinished('list', 200, 1)],
    ['OBS-4', 'selection_total', { model: 'm/a', status: 200 }, (it) => it.answerSelected('m/a', 200)],
    [
      'OBS-5',
      'failover_reason_total',
      { reason: 'upstream_reset' },
      (it) => it.attemptFailed('upstream_reset'),
    ],
    ['OBS-9', 'feed_refresh_total', { feed: 'models' }, (it) => it.feedRefreshed('models', 'ok')],
    ['OBS-10', 'feed_rows_skipped_total', { feed: 'models' }, (it) => it.feedRowsSkipped('models', 1)],
    ['OBS-11', 'sticky_lookups_total', { outcome: 'hit' }, (it) => it.stickyLookedUp('hit')],
    ['OBS-41', 'sticky_write_errors_total', {}, (it) => it.stickyWriteFailed()],
    ['OBS-12', 'client_aborts_total', { phase: 'upload' }, (it) => it.clientLeft('upload')],
    ['OBS-8', 'request_duration_seconds', { mode: 'list' }, (it) => it.requestFinished('list', 200, 1)],
    ['OBS-8', 'time_to_first_byte_seconds', { mode: 'list' }, (it) => it.firstByteSent('list', 1)],
    ['OBS-8', 'overhead_seconds', { mode: 'list' }, (it) => it.firstAttemptStarted('list', 1)],
  ])('%s: %s has what was noted', async (_clause, name, labels, note) => {
    const service = new MetricsService();
    note(service);
    const read = await service.registry.getSingleMetric(`chutes_autopilot_${name}`)?.get();
    expect(read?.values).toContainEqual(
      expect.objectContaining({ labels: expect.objectContaining(labels), value: 1 }),
    );
  });
});

test('PRJ-19: however many requests there are, what is counted takes no more room', async () => {
  const service = new MetricsService();
  const lines = async () => (await service.registry.metrics()).split('\n').length;
  const note = () => {
    service.requestStarted();
    service.answerSelected('m/a', 200);
    service.firstByteSent('alias', 1);
    service.requestFinished('alias', 200, 1);
  };
  note();
  const afterOne = await lines();
  for (let n = 0; n < 10_000; n += 1) note();
  expect(await lines()).toBe(afterOne);
});
