import { describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../chutes-simulator.js';
import { chuteIdOf } from './simulated-models.js';
import { simulatedStatistics, statisticsFor, statisticsRow } from './simulated-statistics.js';

const TODAY = Date.UTC(2026, 1, 18, 12);
const ROWS = simulatedStatistics(1, TODAY);

describe('statistics', () => {
  test('SIM-40: a row for each chute and day, the newest first', () => {
    expect(new Set(ROWS.map(({ chute_id, date }) => `${chute_id} ${date}`)).size).toBe(ROWS.length);
    expect([...new Set(ROWS.map(({ date }) => date))].slice(0, 3)).toEqual([
      '2026-02-18',
      '2026-02-17',
      '2026-02-16',
    ]);
    expect(ROWS.filter(({ name }) => name === '[private]').length).toBeGreaterThan(100);
    expect(ROWS.find(({ name }) => name === 'Qwen/Qwen3-32B')?.chute_id).toBe(chuteIdOf('Qwen/Qwen3-32B'));
  });

  test('SIM-40: some chutes have no figures of today, and all have of other days', () => {
    const unknown = ROWS.filter(({ average_ttft: ttft, average_tps: tps }) => ttft === 0 && tps === 0);
    expect(unknown.length).toBeGreaterThan(5);
    expect(new Set(unknown.map(({ date }) => date))).toEqual(new Set(['2026-02-18']));
    expect(simulatedStatistics(1, TODAY)).toEqual(ROWS);
    expect(simulatedStatistics(2, TODAY)).not.toEqual(ROWS);
  });

  test.each([
    ['start_date=2026-02-17', ['2026-02-18', '2026-02-17']],
    ['start_date=2026-02-10&end_date=2026-02-11', ['2026-02-11', '2026-02-10']],
    ['start_date=2026-02-19', []],
  ])('SIM-40: narrowed by %s', (query, dates) => {
    const rows = statisticsFor(ROWS, new URLSearchParams(query)) as typeof ROWS;
    expect([...new Set(rows.map(({ date }) => date))]).toEqual(dates);
  });

  test('SIM-40: narrowed to one chute', () => {
    const id = chuteIdOf('Qwen/Qwen3-32B');
    const rows = statisticsFor(ROWS, new URLSearchParams({ chute_id: id })) as typeof ROWS;
    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(['Qwen/Qwen3-32B']));
  });

  test('SIM-40: replaced by rows of a test, and back', async () => {
    const simulator = await ChutesSimulator.start();
    try {
      simulator.stats = ['a/one', { name: 'b/two' }, 7];
      expect(simulator.stats).toEqual([statisticsRow('a/one'), { name: 'b/two' }, 7]);
      simulator.reset();
      expect(simulator.stats.length).toBeGreaterThan(1_000);
    } finally {
      await simulator.close();
    }
  });
});
