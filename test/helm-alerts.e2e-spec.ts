import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ServedPaths } from '../src/openai/served-paths.js';
import { describeHelm, EVERYTHING, notes, render, type Values } from './support/helm.js';
import { specOf } from './support/manifests.js';

const LAG: Values = { autoscaling: { enabled: true, targetEventLoopLagMs: 80 } };
const ALERTS = readFileSync('deploy/observability/alerts.yml', 'utf8');

const rulesOf = (values: Values) =>
  specOf('PrometheusRule', render({ prometheusRule: { enabled: true }, ...values }));

describeHelm('the PrometheusRule', () => {
  test('OPS-22: holds the alerts of the project', () => {
    const { groups } = parse(ALERTS) as { groups: unknown };
    expect(rulesOf({})).toEqual({ groups });
  });

  test.each([
    [
      'READYZ_MAX_SNAPSHOT_AGE_MS',
      600_000,
      'ready_snapshot_age_ms > 20000',
      'ready_snapshot_age_ms > 600000',
    ],
    ['READYZ_MAX_ALLOWLIST_AGE_MS', 20_000, 'allowlist_age_ms > 600000', 'allowlist_age_ms > 20000'],
    ['OVERLOAD_LAG_MS', 150, 'lag_seconds[2m]) > 0.25', 'lag_seconds[2m]) > 0.075'],
    ['OVERLOAD_LAG_MS', 0, 'lag_seconds[2m]) > 0.25', 'lag_seconds[2m]) > 0.25'],
    ['MAX_CLIENT_CONNECTIONS', 2_000_000, 'connections > 6553', 'connections > 1600000'],
  ])('OPS-22: takes a limit from %s (%d), and changes nothing else', (name, value, before, after) => {
    expect(ALERTS.split(before)).toHaveLength(2);
    const { groups } = parse(ALERTS.replace(before, after)) as { groups: unknown };
    expect(rulesOf({ config: { [name]: value } })).toEqual({ groups });
  });
});

describeHelm('the ServiceMonitor', () => {
  test.each([
    ['by default', {}],
    ['under another name', { nameOverride: 'router', fullnameOverride: 'llm' }],
  ])('OPS-22: names the job as the alerts expect, and by namespace and release, %s', (_, values: Values) => {
    const { endpoints } = specOf('ServiceMonitor', render({ ...EVERYTHING, ...values }));
    const relabelings = [{ targetLabel: 'job', replacement: 'models/prod/chutes-autopilot' }];
    expect(endpoints).toEqual([{ port: 'admin', path: '/metrics', interval: '15s', relabelings }]);
    const patterns = [...ALERTS.matchAll(/job=~"([^"]*)"/g)].map(([, pattern = '']) => pattern);
    expect(patterns.length).toBeGreaterThan(4);
    for (const pattern of patterns) {
      expect(endpoints[0].relabelings[0].replacement).toMatch(new RegExp(`^(?:${pattern})$`));
    }
    expect(new ServedPaths().methodsAt('/metrics')).toContain('GET');
  });
});

describeHelm('the notes', () => {
  test.each([
    ['alerts without a ServiceMonitor', { prometheusRule: { enabled: true } }, 'Without serviceMonitor'],
    ['a ServiceMonitor behind a network policy', { serviceMonitor: { enabled: true } }, '"monitoring"'],
    ['an autoscaler that asks for a metric of pods', LAG, 'an adapter has to serve it'],
  ])('OPS-23: warn of %s, and only then', (_, values: Values, warning) => {
    expect(notes(values)).toContain(warning);
    expect(notes({})).not.toContain(warning);
  });
});
