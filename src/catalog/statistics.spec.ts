import { describe, expect, test } from '@jest/globals';
import { StatisticsReader, withStartDate } from './statistics.js';

const ROW = { chute_id: 'c-1', name: 'a/one', date: '2026-02-18', average_ttft: 1.5, average_tps: 40 };

describe('a row', () => {
  test.each([
    null,
    7,
    'a/one',
    [],
    {},
    { ...ROW, chute_id: undefined, name: undefined },
    { ...ROW, chute_id: '', name: '' },
    { ...ROW, chute_id: 7, name: null },
    { ...ROW, date: undefined },
    { ...ROW, date: 20_260_218 },
    { ...ROW, date: 'yesterday' },
    { ...ROW, average_ttft: '1.5' },
    { ...ROW, average_tps: Infinity },
    { ...ROW, average_tps: [] },
  ])('CAT-23: %j is skipped and counted, and the rest is used', (row) => {
    const reader = readerOf([ROW, row]);
    expect([reader.count, reader.skipped]).toEqual([1, 1]);
    expect(reader.statistics.figuresOf('a/one', 'c-1')).toEqual({ ttftS: 1.5, tps: 40 });
  });

  test.each([0, -1, null, undefined])('CAT-24: a figure of %j is unknown', (figure) => {
    const reader = readerOf([{ ...ROW, average_ttft: figure, average_tps: figure }]);
    expect(reader.count).toBe(1);
    expect(reader.statistics.figuresOf('a/one', 'c-1')).toEqual({ ttftS: undefined, tps: undefined });
  });
});

describe('the newest day', () => {
  test('CAT-24: counts for each figure by itself, in whatever order the rows come', () => {
    const rows = [
      { ...ROW, date: '2026-02-19', average_ttft: 0, average_tps: 50 },
      { ...ROW, date: '2026-02-17', average_ttft: 9, average_tps: 9 },
      { ...ROW, date: '2026-02-18', average_ttft: 2, average_tps: 0 },
    ];
    for (const order of [rows, rows.toReversed()]) {
      expect(readerOf(order).statistics.figuresOf('a/one', 'c-1')).toEqual({ ttftS: 2, tps: 50 });
    }
  });
});

describe('the rows of a model', () => {
  const NAMED = { ...ROW, average_ttft: 3, average_tps: 30 };
  test.each<[string, object[], number | undefined]>([
    ['of its chute, whatever name', [{ ...ROW, name: '[private]' }], 1.5],
    ['of its chute, without a name', [{ ...ROW, name: undefined }], 1.5],
    ['of its name, without a chute', [{ ...NAMED, chute_id: undefined }], 3],
    ['of its name, of a chute that nobody has any more', [{ ...NAMED, chute_id: 'c-old' }], 3],
    ['of its name, newer than its chute’s', [ROW, { ...NAMED, chute_id: 'c-old', date: '2026-02-19' }], 3],
    ['of both, of the same day', [{ ...NAMED, chute_id: 'c-old' }, ROW], 1.5],
    ['of its name, but of another model’s chute', [{ ...NAMED, chute_id: 'c-2' }], undefined],
    ['of another name and chute', [{ ...NAMED, chute_id: 'c-3', name: 'b/two' }], undefined],
  ])('CAT-25: are those %s', (_, rows, expected) => {
    const { statistics } = readerOf(rows);
    expect(statistics.figuresOf('a/one', 'c-1', (chute) => ['c-1', 'c-2'].includes(chute)).ttftS).toBe(
      expected,
    );
  });

  test('CAT-25: are found by name alone where its chute is not known', () => {
    expect(readerOf([ROW]).statistics.figuresOf('a/one', undefined).ttftS).toBe(1.5);
  });

  test('CAT-25: nobody is called as others’ chutes are', () => {
    expect(
      readerOf([{ ...ROW, name: '[private]' }]).statistics.figuresOf('[private]', undefined).ttftS,
    ).toBeUndefined();
  });
});

describe('the address', () => {
  const NEW_YEAR = Date.UTC(2026, 0, 1, 0, 30);
  test.each([
    ['https://s.example/stats/llm', 'https://s.example/stats/llm?start_date=2025-12-30'],
    ['https://s.example/stats/llm?', 'https://s.example/stats/llm?start_date=2025-12-30'],
    ['https://s.example/stats/llm?days=1', 'https://s.example/stats/llm?days=1'],
    [
      'https://s.example/stats/llm?start_date=2025-01-01',
      'https://s.example/stats/llm?start_date=2025-01-01',
    ],
  ])('CAT-26: %s is asked for as %s', (url, expected) => {
    expect(withStartDate(new URL(url), NEW_YEAR).href).toBe(expected);
  });
});

function readerOf(rows: readonly unknown[]): StatisticsReader {
  const reader = new StatisticsReader();
  for (const row of rows) reader.take(row);
  return reader;
}
