import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/config.js';
import { readAlerts, readRuleCases } from './support/alert-rules.js';
import { queriesOf, readDashboard } from './support/dashboard.js';
import { namesIn } from './support/promql.js';

const FOLDER = 'deploy/observability';
const DASHBOARD = readDashboard(`${FOLDER}/grafana/dashboards/chutes-autopilot.json`);
const PANELS = DASHBOARD.panels.filter(({ type }) => type !== 'row');
const ALERTS = readAlerts(`${FOLDER}/alerts.yml`);
const CASES = readRuleCases(`${FOLDER}/alerts.test.yml`);
const METRIC = /^(?:up|(?:process|nodejs|chutes_autopilot)_\w+)$/;

describe('alerts', () => {
  test.each(ALERTS)('OBS-29: $alert says how bad it is, since when, what, and what to do', (rule) => {
    expect(rule).toEqual({
      alert: expect.stringMatching(/^ChutesAutopilot[A-Z]\w+$/),
      expr: expect.any(String),
      for: expect.stringMatching(/^\d+m$/),
      labels: { severity: expect.stringMatching(/^(?:critical|warning|info)$/) },
      annotations: {
        summary: expect.stringMatching(/\.$/),
        description: expect.stringMatching(/\.$/),
        runbook: expect.any(String),
      },
    });
    const [path = '', anchor] = rule.annotations?.['runbook']?.split('#') ?? [];
    expect(anchorsOf(readFileSync(path, 'utf8'))).toContain(anchor);
  });

  test('OBS-29: each one has a case in which it fires', () => {
    const fired = new Set(CASES.flatMap(({ fires }) => fires));
    expect([...fired].toSorted()).toEqual(ALERTS.map(({ alert }) => alert).toSorted());
  });

  test('OBS-29: all are silent in a case with every metric that they look at', () => {
    const healthy = CASES.find(({ name }) => name === 'nothing fires while all is well');
    const given = healthy?.series.map((series) => series.replace(/\{.*/, ''));
    const needed = new Set(ALERTS.flatMap(({ expr }) => namesIn(expr)).filter((name) => METRIC.test(name)));
    expect(needed.size).toBeGreaterThan(10);
    expect(new Set(given)).toEqual(needed);
    expect(healthy?.fires).toEqual([]);
  });

  test('OBS-37: they speak up before the router refuses', () => {
    const { maxLagMs, maxConnections } = loadConfig({}).requests;
    expect(limitOf('ChutesAutopilotEventLoopLag')).toBe(maxLagMs / 1_000 / 2);
    expect(limitOf('ChutesAutopilotConnections')).toBe(Math.floor(maxConnections * 0.8));
  });

  test('OBS-37: they name what is refused', () => {
    const named = ['ChutesAutopilotOverloaded', 'ChutesAutopilotConnectionsRefused'].map((name) =>
      exprOf(name),
    );
    expect(named[0]).toContain('chutes_autopilot_requests_shed_total');
    expect(named[1]).toContain('chutes_autopilot_connections_refused_total');
  });

  test('OBS-29: a feed is stale to them when it is stale to /readyz', () => {
    const { maxSnapshotAgeMs, maxAllowlistAgeMs } = loadConfig({}).readiness;
    expect(limitOf('ChutesAutopilotUtilizationStale')).toBe(maxSnapshotAgeMs);
    expect(limitOf('ChutesAutopilotModelListStale')).toBe(maxAllowlistAgeMs);
  });
});

describe('the dashboard', () => {
  const fromVariable = { type: 'prometheus', uid: '${datasource}' };

  test.each(PANELS)('OBS-28: "$title" can be read without asking its author', (panel) => {
    expect(panel).toMatchObject({
      // Grafana's own.
      type: expect.stringMatching(/^(?:stat|timeseries)$/),
      description: expect.stringMatching(/\.$/),
      datasource: fromVariable,
      fieldConfig: { defaults: { unit: expect.stringMatching(/./) } },
    });
    for (const { datasource } of panel.targets ?? []) expect(datasource).toEqual(fromVariable);
  });

  test('OBS-28: titles and ids are unique, and panels do not overlap', () => {
    const { panels } = DASHBOARD;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  test.each(queriesOf(DASHBOARD))(
    'OBS-28: "$title" is of the chosen jobs and instances',
    ({ expression }) => {
      const metrics = expression.match(/\b(?:up|(?:process|nodejs|chutes_autopilot)_\w+)\b.{0,41}/g) ?? [];
      expect(metrics).not.toEqual([]);
      for (const metric of metrics) expect(metric).toMatch(/^\w+\{job=~"\$job", instance=~"\$instance"/);
    },
  );

  test('OBS-28: what it asks for can be chosen', () => {
    const variables = DASHBOARD.templating.list.map(({ name, type }) => [name, type]);
    expect(variables).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ]);
  });

  test('OBS-28: an empty Grafana is given the data source that it asks for, and its own folder', () => {
    expect(provisioned('datasources/prometheus.yml')).toMatchObject({
      datasources: [{ type: DASHBOARD.templating.list[0]?.query, isDefault: true }],
    });
    expect(provisioned('dashboards/chutes-autopilot.yml')).toMatchObject({
      providers: [{ type: 'file', options: { path: '/var/lib/grafana/dashboards' } }],
    });
  });
});

/** The number that an alert's metric must be above. */
function limitOf(name: string): number {
  return Number(/ > ([\d.]+)/.exec(exprOf(name))?.[1]);
}

function exprOf(name: string): string {
  return ALERTS.find(({ alert }) => alert === name)?.expr ?? '';
}

function provisioned(path: string): unknown {
  return parse(readFileSync(`${FOLDER}/grafana/provisioning/${path}`, 'utf8'));
}

/** The anchors of a page's headings, which are single words here. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
}
