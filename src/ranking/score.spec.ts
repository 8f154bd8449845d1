import { describe, expect, it } from '@jest/globals';
import { readUtilization, type UtilizationRow } from '../catalog/utilization-feed.js';
import { scoreOf } from './score.js';

type Case = readonly [what: string, fields: Readonly<Record<string, unknown>>, score: number];

const BUSY = { n: 10, utilization_5m: 2 };

// The scores are worked out by hand: free instances + startable · 0.05 − 2 · n · limited.
describe('scoreOf', () => {
  it.each<Case>([
    // 0.6 · 0.2 + 0.3 · 0.4 + 0.1 · 0.8 = 0.32 used, 10 · 0.68 free
    ['three windows', { n: 10, utilization_5m: 0.2, utilization_15m: 0.4, utilization_1h: 0.8 }, 6.8],
    // 0.12 + 0.03 + 0.05 = 0.2 used
    ['all of them lower', { n: 10, utilization_5m: 0.2, utilization_15m: 0.1, utilization_1h: 0.5 }, 8],
    ['a current value that the windows overrule', { n: 2, utilization_current: 0.9, utilization_5m: 0.5 }, 1],
  ])('RNK-7, RNK-10: utilization with %s', (_what, fields, score) => {
    expect(scoreFor(fields)).toBeCloseTo(score, 12);
  });

  it.each<Case>([
    ['no figure at all, as if fully used', { n: 4 }, 0],
    ['only the current one', { n: 4, utilization_current: 0.25 }, 3],
    ['null for the 5 minutes', { n: 4, utilization_5m: null, utilization_current: 0.25 }, 3],
    // u15 and u1h are those of the 5 minutes
    ['only the 5 minutes', { n: 4, utilization_5m: 0.5 }, 2],
    // 0.6 · 0.5 + 0.4 · 0.25 = 0.4
    ['no hour', { n: 10, utilization_5m: 0.5, utilization_15m: 0.25 }, 6],
    // 0.9 · 0.5 + 0.1 · 0.25 = 0.475
    ['no 15 minutes', { n: 8, utilization_5m: 0.5, utilization_15m: null, utilization_1h: 0.25 }, 4.2],
    // 0.6 · 1 + 0.4 · 0.5 = 0.8
    ['nothing but the 15 minutes', { n: 10, utilization_15m: 0.5 }, 2],
    ['0, which is not missing', { n: 4, utilization_5m: 0, utilization_current: 1 }, 4],
  ])('RNK-6: utilization with %s', (_what, fields, score) => {
    expect(scoreFor(fields)).toBeCloseTo(score, 12);
  });

  it.each<Case>([
    ['utilization of 1', { n: 50, utilization_5m: 1 }, 0],
    ['utilization over 1', { n: 50, utilization_5m: 1.3 }, 0],
    [
      'utilization far over 1, a little to start',
      { n: 50, utilization_5m: 40, scalable: true, scale_allowance: 2 },
      0.1,
    ],
    // 0.6 · 1.5 + 0.3 · 0.2 + 0.1 · 0.2 = 0.98: only the sum counts
    ['one window over 1', { n: 100, utilization_5m: 1.5, utilization_15m: 0.2 }, 2],
  ])('RNK-11: %s', (_what, fields, score) => {
    expect(scoreFor(fields)).toBeCloseTo(score, 12);
  });

  it.each<Case>([
    ['5 minutes alone', { rate_limit_ratio_5m: 0.2 }, -4],
    [
      'null for 15 minutes and hour',
      { rate_limit_ratio_5m: 0.2, rate_limit_ratio_15m: null, rate_limit_ratio_1h: null },
      -4,
    ],
    ['none', {}, 0],
    ['null everywhere', { rate_limit_ratio_5m: null, rate_limit_ratio_15m: null }, 0],
    // the hour falls back to the 15 minutes: max(0, 0.5 · 0.4, 0.25 · 0.4)
    ['15 minutes alone', { rate_limit_ratio_15m: 0.4 }, -4],
    ['hour alone', { rate_limit_ratio_1h: 0.4 }, -2],
  ])('RNK-8: rate limits with %s', (_what, fields, score) => {
    expect(scoreFor({ ...BUSY, ...fields })).toBeCloseTo(score, 12);
  });

  it.each<Case>([
    ['the 5 minutes', { rate_limit_ratio_5m: 0.3, rate_limit_ratio_15m: 0.5, rate_limit_ratio_1h: 1 }, -6],
    [
      'half of the 15 minutes',
      { rate_limit_ratio_5m: 0.3, rate_limit_ratio_15m: 0.8, rate_limit_ratio_1h: 1 },
      -8,
    ],
    [
      'a quarter of the hour',
      { rate_limit_ratio_5m: 0.1, rate_limit_ratio_15m: 0.2, rate_limit_ratio_1h: 1 },
      -5,
    ],
  ])('RNK-9: the worst of the rate limits is %s', (_what, fields, score) => {
    expect(scoreFor({ ...BUSY, ...fields })).toBeCloseTo(score, 12);
  });

  it.each<Case>([
    ['an allowance', { scalable: true, scale_allowance: 3 }, 0.15],
    ['an allowance of 8', { scalable: true, scale_allowance: 8 }, 0.4],
    ['an allowance over 8', { scalable: true, scale_allowance: 20 }, 0.4],
    ['no allowance', { scalable: true, scale_allowance: null }, 0],
    ['an allowance, but not scalable', { scalable: false, scale_allowance: 8 }, 0],
    ['an allowance, scalable not said', { scale_allowance: 8 }, 0],
  ])('RNK-10: %s', (_what, fields, score) => {
    expect(scoreFor({ ...BUSY, ...fields })).toBeCloseTo(score, 12);
  });

  it.each<Case>([
    // 12 · (1 − 0.425) + 3 · 0.05
    [
      'free and scalable',
      {
        n: 12,
        utilization_5m: 0.45,
        utilization_15m: 0.4,
        utilization_1h: 0.35,
        scalable: true,
        scale_allowance: 3,
      },
      7.05,
    ],
    // 12 · (1 − 0.66) − 2 · 12 · 0.01
    [
      'free and limited',
      { n: 12, utilization_5m: 0.65, utilization_15m: 0.7, utilization_1h: 0.6, rate_limit_ratio_5m: 0.01 },
      3.84,
    ],
    // 0 + 8 · 0.05 − 2 · 6 · 0.25
    [
      'full, scalable and limited',
      { n: 6, utilization_5m: 1.2, scalable: true, scale_allowance: 20, rate_limit_ratio_5m: 0.25 },
      -2.6,
    ],
  ])('RNK-10: all together: %s', (_what, fields, score) => {
    expect(scoreFor(fields)).toBeCloseTo(score, 12);
  });
});

function scoreFor(fields: Readonly<Record<string, unknown>>): number {
  return scoreOf(rowOf(fields)).score;
}

/** A row as the feed's reader makes it. @param fields as in the feed, but `n` for `active_instance_count` */
function rowOf({ n, ...fields }: Readonly<Record<string, unknown>>): UtilizationRow {
  const row = readUtilization([{ name: 'a/model', active_instance_count: n, ...fields }])?.rows[0];
  if (row === undefined) throw new Error('The row is not usable.');
  return row;
}
