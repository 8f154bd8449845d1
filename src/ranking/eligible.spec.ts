import { describe, expect, it, test } from '@jest/globals';
import { type ModelList, readModelList } from '../catalog/model-list.js';
import { StatisticsReader } from '../catalog/statistics.js';
import { readUtilization, type UtilizationRow } from '../catalog/utilization-feed.js';
import { eligibleModels } from './eligible.js';
import { STRATEGIES } from './strategies.js';

type Fields = Readonly<Record<string, unknown>> & { readonly name: string };

describe('who is eligible', () => {
  const rows = rowsOf(
    { name: 'a/listed-TEE', active_instance_count: 3 },
    { name: 'b/listed', active_instance_count: 2 },
    { name: 'c/unlisted-TEE', active_instance_count: 9 },
    { name: 'd/unlisted', active_instance_count: 9 },
    { name: 'e/idle-TEE', active_instance_count: 0 },
    { name: 'f/unknown-TEE' },
    { name: 'g/null-TEE', active_instance_count: null },
    { name: '[private chute]', active_instance_count: 9 },
  );

  it('RNK-2, RNK-3: with a model list, the listed models that have an active instance', () => {
    expect(
      rank(rows, listOf('e/idle-TEE', 'b/listed', 'g/null-TEE', 'f/unknown-TEE', 'a/listed-TEE')),
    ).toEqual(['a/listed-TEE', 'b/listed']);
  });

  it('RNK-2, RNK-4: without one, the models that end in -TEE and have an active instance', () => {
    expect(rank(rows, undefined)).toEqual(['c/unlisted-TEE', 'a/listed-TEE']);
  });

  test.each(['a/b-tee', 'a/b-TEE-FP8', 'a/b_TEE', 'a/bTEE', 'TEE', 'a/b-TEE '])(
    'RNK-4: "%s" does not end in -TEE',
    (name) => {
      expect(rank(rowsOf({ name, active_instance_count: 1 }), undefined)).toEqual([]);
    },
  );

  it.each([-1, 0.5, 1e-9])('RNK-2: with an active_instance_count of %d', (count) => {
    const ranked = rank(rowsOf({ name: 'a/b', active_instance_count: count }), listOf('a/b'));
    expect(ranked).toEqual(count > 0 ? ['a/b'] : []);
  });

  it('RNK-1: never a private chute, even if the model list has one', () => {
    expect(
      rank(rowsOf({ name: '[private chute]', active_instance_count: 9 }), listOf('[private chute]')),
    ).toEqual([]);
  });

  it('RNK-3: nobody where list and utilization have nothing in common, or a name differs in case', () => {
    expect(rank(rowsOf({ name: 'A/b', active_instance_count: 1 }), listOf('a/b', 'c/d'))).toEqual([]);
  });

  it('RNK-5: without utilization the model list in its own order', () => {
    expect(rank(undefined, listOf('b/two', 'a/one', 'c/three-TEE'))).toEqual([
      'b/two',
      'a/one',
      'c/three-TEE',
    ]);
    expect(rank(undefined, undefined)).toEqual([]);
  });
});

describe('how fast models are', () => {
  const reader = new StatisticsReader();
  for (const [chute_id, name, average_ttft, average_tps] of [
    ['c-1', '[private]', 1.5, 40],
    ['c-2', 'a/one', 9, 9],
    ['c-9', 'b/two', 3, 0],
  ]) {
    reader.take({ chute_id, name, average_ttft, average_tps, date: '2026-02-18' });
  }
  const { statistics } = reader;
  const list = readModelList({
    data: [
      { id: 'a/one', chute_id: 'c-1', pricing: { prompt: 1, completion: 3 } },
      { id: 'b/two', chute_id: 'c-3', pricing: { prompt: 1 } },
      { id: 'c/three', chute_id: 'c-2' },
    ],
  })?.list;
  const rows = rowsOf(...['a/one', 'b/two', 'c/three'].map((name) => ({ name, active_instance_count: 1 })));
  const figures = (medians: Readonly<Record<string, number>>, from: typeof rows | undefined = rows) =>
    eligibleModels(from, list, { statistics, medianS: (id) => medians[id] }).map(
      ({ id, ttftS, tps, price }) => [id, ttftS, tps, price],
    );

  it('CAT-25, POL-5: is what the statistics say of their chutes, else of their names', () => {
    const expected = [
      ['a/one', 1.5, 40, 1.5],
      ['b/two', 3, undefined, undefined],
      ['c/three', 9, 9, undefined],
    ];
    expect(figures({})).toEqual(expected);
    expect(figures({}, undefined)).toEqual(expected);
  });

  it('POL-13: is what the router measured itself, where it did', () => {
    expect(figures({ 'a/one': 0.5, 'b/two': 7 }).map(([, ttftS]) => ttftS)).toEqual([0.5, 7, 9]);
  });

  it('CAT-25: is known by name without a model list, too', () => {
    const tee = rowsOf({ name: 'x-TEE', active_instance_count: 1 });
    const named = new StatisticsReader();
    named.take({ chute_id: 'c', name: 'x-TEE', date: '2026-02-18', average_tps: 5 });
    const speeds = { statistics: named.statistics, medianS: () => undefined };
    expect(eligibleModels(tee, undefined, speeds)).toMatchObject([{ id: 'x-TEE', tps: 5 }]);
  });
});

describe('the order', () => {
  const full = { utilization_5m: 2 };

  it.each<[rule: string, first: Fields, second: Fields]>([
    [
      'the score comes first, whatever else',
      {
        name: 'z',
        active_instance_count: 2,
        utilization_5m: 0.25,
        utilization_current: 0.9,
        rate_limit_ratio_5m: 0.1,
      },
      { name: 'a', active_instance_count: 8, utilization_5m: 0.9, utilization_current: 0.1 },
    ],
    [
      'more instances before fewer',
      { ...full, name: 'z', active_instance_count: 5, utilization_current: 0.9, rate_limit_ratio_5m: 0 },
      { ...full, name: 'a', active_instance_count: 4, utilization_current: 0.1, rate_limit_ratio_5m: 0 },
    ],
    [
      'less used now before more used',
      {
        ...full,
        name: 'z',
        active_instance_count: 1,
        utilization_current: 0.2,
        rate_limit_ratio_15m: 1,
        rate_limit_ratio_5m: 0.5,
      },
      {
        ...full,
        name: 'a',
        active_instance_count: 1,
        utilization_current: 0.3,
        rate_limit_ratio_15m: 1,
        rate_limit_ratio_5m: 0,
      },
    ],
    [
      'u5 stands in for the current utilization',
      { name: 'z', active_instance_count: 1, utilization_5m: 1.5 },
      { name: 'a', active_instance_count: 1, utilization_5m: 3, utilization_current: 1.6 },
    ],
    [
      'less limited before more limited, where the hour outweighs both',
      {
        ...full,
        name: 'z',
        active_instance_count: 1,
        rate_limit_ratio_5m: 0.1,
        rate_limit_ratio_15m: 0,
        rate_limit_ratio_1h: 1,
      },
      {
        ...full,
        name: 'a',
        active_instance_count: 1,
        rate_limit_ratio_5m: 0.2,
        rate_limit_ratio_15m: 0,
        rate_limit_ratio_1h: 1,
      },
    ],
    [
      'no limit known counts as 0',
      { ...full, name: 'z', active_instance_count: 1, rate_limit_ratio_15m: 0.5 },
      { ...full, name: 'a', active_instance_count: 1, rate_limit_ratio_15m: 0.5, rate_limit_ratio_5m: 0.01 },
    ],
    ['names by code units: upper case first', { name: 'Z', ...full }, { name: 'a', ...full }],
    ['names by code units: not by locale', { name: 'z', ...full }, { name: 'ä', ...full }],
    ['names by code units: a prefix first', { name: 'a', ...full }, { name: 'a-TEE', ...full }],
    ['names by code units: digits as text', { name: 'a10', ...full }, { name: 'a9', ...full }],
    // By code points it would be the other way round.
    [
      'names by code units: a surrogate before U+FFFD',
      { name: '\u{1F600}', ...full },
      { name: '\uFFFD', ...full },
    ],
  ])('RNK-12, RNK-13: %s', (_rule, first, second) => {
    const list = listOf(first.name, second.name);
    const better = { active_instance_count: 1, ...first };
    const worse = { active_instance_count: 1, ...second };
    expect(rank(rowsOf(better, worse), list)).toEqual([first.name, second.name]);
    expect(rank(rowsOf(worse, better), list)).toEqual([first.name, second.name]);
  });

  it('RNK-14: of rows with one name the better ranked one counts', () => {
    const busy = { name: 'a/twice', active_instance_count: 8, utilization_5m: 0.95 };
    const other = { name: 'b/once', active_instance_count: 4, utilization_5m: 0.5 };
    const free = { name: 'a/twice', active_instance_count: 8, utilization_5m: 0.1 };
    const list = listOf('a/twice', 'b/once');
    expect(rank(rowsOf(busy, other, free), list)).toEqual(['a/twice', 'b/once']);
    expect(rank(rowsOf(free, other, busy), list)).toEqual(['a/twice', 'b/once']);
    expect(rank(rowsOf(busy, other), list)).toEqual(['b/once', 'a/twice']);
  });

  it('RNK-14: a row that is not eligible does not stand for its name', () => {
    const idle = { name: 'a/twice', active_instance_count: 0, scalable: true, scale_allowance: 8 };
    const busy = { name: 'a/twice', active_instance_count: 1, utilization_5m: 1 };
    expect(rank(rowsOf(idle, busy), listOf('a/twice'))).toEqual(['a/twice']);
  });
});

function rowsOf(...rows: readonly Fields[]): readonly UtilizationRow[] {
  return readUtilization(rows)?.rows ?? [];
}

function listOf(...ids: readonly string[]): ModelList | undefined {
  return readModelList({ data: ids.map((id) => ({ id })) })?.list;
}

function rank(...feeds: Parameters<typeof eligibleModels>): readonly string[] {
  return eligibleModels(...feeds)
    .toSorted(STRATEGIES.capacity)
    .map(({ id }) => id);
}
