import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { readAlerts, readRuleCases } from './support/alert-rules.js';
import { giveFeeds, sendAllSorts } from './support/all-sorts.js';
import { type PanelQuery, queriesOf, readDashboard, withVariables } from './support/dashboard.js';
import { metricsOf } from './support/metrics.js';
import { PrometheusServer } from './support/prometheus.js';
import { unknownIn, type Vocabulary } from './support/promql.js';
import { PROMETHEUS_ADVICE } from './support/promtool.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';
import { describeWith } from './support/tools.js';

const FOLDER = 'deploy/observability';
const DASHBOARD = readDashboard(`${FOLDER}/grafana/dashboards/chutes-autopilot.json`);
const QUERIES = queriesOf(DASHBOARD);
const ALERTS = readAlerts(`${FOLDER}/alerts.yml`);
const CASES = readRuleCases(`${FOLDER}/alerts.test.yml`);
const LABELS_OF_LEGEND = /\{\{(\w+)\}\}/g;

const describeLive = describeWith('prometheus', ['--version'], PROMETHEUS_ADVICE);

describeLive('a router that has seen everything, and the Prometheus that scrapes it', () => {
  let chutes: ChutesSimulator;
  let router: TestRouter;
  let prometheus: PrometheusServer;
  let vocabulary: Vocabulary;
  /** A time at which all is known. Later scrapes may fail, if the machine is busy. */
  let atSeconds: number;

  beforeAll(async () => {
    chutes = await ChutesSimulator.start();
    giveFeeds(chutes);
    router = await startRouter(chutes, {
      MODELS_REFRESH_MS: '500',
      UTILIZATION_REFRESH_MS: '500',
      // Long enough to be counted, and over with the next request.
      COOLDOWN_FAILURES: '2',
      COOLDOWN_MS: '1',
      COOLDOWN_MAX_MS: '1',
    });
    prometheus = await PrometheusServer.start(FOLDER, `127.0.0.1:${router.port}`);
    // Otherwise its metrics begin whenever the first one happens to come.
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    // Twice, since only what grows between two scrapes has a rate.
    for (let round = 0; round < 2; round++) {
      await sendAllSorts(router, chutes);
      atSeconds = await prometheus.scraped();
    }
    vocabulary = await vocabularyOf(prometheus);
  }, 120_000);

  afterAll(async () => {
    await prometheus?.close();
    await router?.close();
    await chutes?.close();
  });

  test.each(QUERIES)('OBS-27, OBS-28: the panel "$title" has data', async (query) => {
    expect(await complaints(query)).toEqual([]);
  });

  test('OBS-27: the dashboard shows every metric of the router', async () => {
    const { text } = await metricsOf(router);
    const expressions = QUERIES.map(({ expression }) => expression).join('\n');
    const names = [...text.matchAll(/^# TYPE (chutes_autopilot_\w+) /gm)].map(([, name = '']) => name);
    expect(names).toHaveLength(25);
    expect(names.filter((name) => !expressions.includes(name))).toEqual([]);
  });

  test('OBS-27: counters are shown by their rate over the interval that fits the scrapes', async () => {
    const { text } = await metricsOf(router);
    const counters = [...text.matchAll(/^# TYPE (\w+) (?:counter|histogram)$/gm)].map(([, name]) => name);
    const counter = `\\b(?:${counters.join('|')})(?:_bucket|_sum|_count)?\\b`;
    const rates = new RegExp(`\\brate\\(${counter}\\{[^}]*\\}\\[\\$__rate_interval\\]\\)`, 'g');
    const isOther = new RegExp(counter);
    const expressions = QUERIES.map(({ expression }) => expression);
    expect(expressions.filter((one) => isOther.test(one)).length).toBeGreaterThan(20);
    expect(expressions.filter((one) => isOther.test(one.replaceAll(rates, '')))).toEqual([]);
  });

  test('OBS-27: jobs and instances to choose from are those that are scraped', async () => {
    const choices = DASHBOARD.templating.list
      .filter(({ type }) => type === 'query')
      .map(({ query }) => (typeof query === 'string' ? query : query.query));
    const offered = await Promise.all(
      choices.map(async (choice) => {
        const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(choice) ?? [];
        return prometheus.valuesOf(label, withVariables(selector));
      }),
    );
    expect(offered).toEqual([['chutes-autopilot'], [`127.0.0.1:${router.port}`]]);
  });

  test('OBS-28: all jobs are those of the router, and no other program', async () => {
    const { query, allValue } = DASHBOARD.templating.list.find(({ name }) => name === 'job') ?? {};
    expect(query).toMatchObject({ query: 'label_values(chutes_autopilot_requests_active, job)' });
    const jobs = allValue ?? (await prometheus.valuesOf('job', 'chutes_autopilot_requests_active')).join('|');
    const sumUp = withVariables('sum(up{job=~"$job", instance=~"$instance"})', jobs);
    expect(await prometheus.query(sumUp, atSeconds)).toEqual([{ labels: {}, value: 1 }]);
    expect(await prometheus.query('sum(up)', atSeconds)).toEqual([{ labels: {}, value: 2 }]);
  });

  test.each(ALERTS)('OBS-27: the alert $alert speaks of what there is', ({ expr }) => {
    expect(unknownIn(expr, vocabulary)).toEqual([]);
  });

  test('OBS-30: Prometheus takes the configuration as it is and evaluates every alert', async () => {
    await eventually(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'));
    const rules = await prometheus.rules();
    expect(rules.map(({ name }) => name).toSorted()).toEqual(ALERTS.map(({ alert }) => alert).toSorted());
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test('OBS-27: the alerts are tested with series that there are', async () => {
    const madeUp = CASES.flatMap(({ series }) => series.filter((one) => one.includes('"chutes-autopilot"')));
    expect(madeUp.length).toBeGreaterThan(50);
    expect(await unknownSeries(madeUp)).toEqual([]);
  });

  describe('what is wrong is found', () => {
    test.each([
      ['a name', 'chutes_autopilot_request_total', 'chutes_autopilot_request_total'],
      ['a name beside a good one', 'up or chutes_autopilot_nothing', 'chutes_autopilot_nothing'],
      ['a label', 'up{jobs="chutes-autopilot"}', 'jobs'],
      ['a label to sum by', 'sum by (mod) (chutes_autopilot_overhead_seconds_bucket)', 'mod'],
      ['a value', 'chutes_autopilot_client_aborts_total{phase="wait"}', 'phase="wait"'],
      ['a value that is excluded', 'chutes_autopilot_requests_total{status!="20"}', 'status="20"'],
      ['an alternative', 'chutes_autopilot_requests_total{status=~"5..|6.."}', 'status="6.."'],
      ['a name over time', 'rate(chutes_autopilot_requests[5m])', 'chutes_autopilot_requests'],
    ])('OBS-27: %s', (_, expression, unknown) => {
      expect(unknownIn(expression, vocabulary)).toContain(unknown);
    });

    test.each([
      ['nothing of what it names', 'chutes_autopilot_nothing', '', 'unknown: chutes_autopilot_nothing'],
      ['a label of another metric', 'chutes_autopilot_requests_total{mode="alias"}', '', 'no data'],
      ['no number', 'chutes_autopilot_requests_active / 0', '', 'no data'],
      ['a label in its legend that is summed over', 'sum(up)', '{{job}}', 'no label: job'],
      ['broken grammar', 'sum(up', '', 'parse error'],
    ])('OBS-27, OBS-28: a panel with %s', async (title, expression, legend, complaint) => {
      expect((await complaints({ title, expression, legend })).join()).toContain(complaint);
    });

    test('OBS-27: a series of the tests of alerts', async () => {
      const series =
        'chutes_autopilot_requests_total{job="chutes-autopilot", instance="a:8080", status="599"}';
      expect(await unknownSeries([series])).toEqual([inGeneral(series)]);
    });
  });

  /** What keeps a query from showing something. */
  async function complaints({ expression, legend }: PanelQuery): Promise<string[]> {
    const substituted = withVariables(expression);
    try {
      const samples = (await prometheus.query(substituted, atSeconds)).filter(({ value }) =>
        Number.isFinite(value),
      );
      const labels = [...legend.matchAll(LABELS_OF_LEGEND)].map(([, label = '']) => label);
      const missing = labels.filter((label) => !samples.every((sample) => label in sample.labels));
      return [
        ...unknownIn(substituted, vocabulary).map((unknown) => `unknown: ${unknown}`),
        ...(samples.length === 0 ? ['no data'] : missing.map((label) => `no label: ${label}`)),
      ];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  /** Those of some series, whatever instance and model are called, that Prometheus does not have. */
  async function unknownSeries(series: readonly string[]): Promise<string[]> {
    const selectors = [...new Set(series.map(inGeneral))];
    const found = await Promise.all(selectors.map((selector) => prometheus.series(selector)));
    return selectors.filter((_, n) => found[n]?.length === 0);
  }
});

async function vocabularyOf(prometheus: PrometheusServer): Promise<Vocabulary> {
  const labels = await prometheus.labels();
  const values = new Map(
    await Promise.all(labels.map(async (label) => [label, await prometheus.valuesOf(label)] as const)),
  );
  const metrics = values.get('__name__') ?? [];
  return { names: new Set([...metrics, ...labels]), valuesOf: (label) => values.get(label) ?? [] };
}

function inGeneral(series: string): string {
  return series.replaceAll(/\b(instance|model)="[^"]*"/g, '$1=~".+"');
}
