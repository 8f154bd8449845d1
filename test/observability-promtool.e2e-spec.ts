import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { giveFeeds, sendAllSorts } from './support/all-sorts.js';
import { metricsOf } from './support/metrics.js';
import { PROMETHEUS_ADVICE, promtool } from './support/promtool.js';
import { startRouter } from './support/router.js';
import { describeWith } from './support/tools.js';

const FOLDER = 'deploy/observability';

const describePromtool = describeWith('promtool', ['--version'], PROMETHEUS_ADVICE);

describePromtool('promtool', () => {
  test('OBS-30: finds nothing wrong with the configuration of Prometheus and the alerts it loads', async () => {
    const { code, output } = await promtool(['check', 'config', `${FOLDER}/prometheus.yml`]);
    expect(output).toContain('rules found');
    expect(code).toBe(0);
  });

  test('OBS-29: sees each alert fire when it should, and no other with it', async () => {
    const { code, output } = await promtool(['test', 'rules', `${FOLDER}/alerts.test.yml`]);
    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  describe('tells when alerts are changed:', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'alerts-'));
      await cp(FOLDER, folder, { recursive: true });
    });

    afterEach(async () => rm(folder, { recursive: true }));

    test.each([
      ['the name of a metric', 'chutes_autopilot_ready_candidates ==', 'chutes_autopilot_candidates =='],
      ['the value of a label', 'outcome="error"', 'outcome="errors"'],
      ['a limit', '> 0.05', '> 0.5'],
      ['a duration', 'for: 10m', 'for: 10h'],
    ])('OBS-27, OBS-29: %s', async (_, text, other) => {
      const path = join(folder, 'alerts.yml');
      const rules = await readFile(path, 'utf8');
      expect(rules).toContain(text);
      await writeFile(path, rules.replace(text, other));
      const { code, output } = await promtool(['test', 'rules', join(folder, 'alerts.test.yml')]);
      expect(output).toContain('FAILED');
      expect(code).not.toBe(0);
    });
  });

  test('OBS-24: finds in /metrics only the names that others have given', async () => {
    const chutes = await ChutesSimulator.start();
    giveFeeds(chutes);
    const router = await startRouter(chutes);
    try {
      await sendAllSorts(router, chutes);
      const { output } = await promtool(['check', 'metrics'], (await metricsOf(router)).text);
      expect(output.trim().split('\n').toSorted()).toEqual([
        'chutes_autopilot_ready_allowlist_age_ms metric names should not contain abbreviated units',
        'chutes_autopilot_ready_snapshot_age_ms metric names should not contain abbreviated units',
        'nodejs_active_handles_total non-counter metrics should not have "_total" suffix',
        'nodejs_active_requests_total non-counter metrics should not have "_total" suffix',
        'nodejs_active_resources_total non-counter metrics should not have "_total" suffix',
      ]);
    } finally {
      await router.close();
      await chutes.close();
    }
  });
});
