import { describe, expect, it } from '@jest/globals';
import { readUtilization } from './utilization-feed.js';

const NUMBER_FIELDS = [
  'active_instance_count',
  'scale_allowance',
  'utilization_current',
  'utilization_5m',
  'utilization_15m',
  'utilization_1h',
  'rate_limit_ratio_5m',
  'rate_limit_ratio_15m',
  'rate_limit_ratio_1h',
];
const FULL = {
  name: 'a/one',
  scalable: true,
  active_instance_count: 1,
  scale_allowance: 2,
  utilization_current: 0.3,
  utilization_5m: 0.4,
  utilization_15m: 0.5,
  utilization_1h: 1.6,
  rate_limit_ratio_5m: 0.7,
  rate_limit_ratio_15m: 0.8,
  rate_limit_ratio_1h: 0.9,
};

describe('readUtilization', () => {
  it('CAT-2: takes the rows of an array, of each what the ranking reads', () => {
    const read = readUtilization([{ ...FULL, chute_id: 'c-1', target_count: 3 }]);
    expect(read).toEqual({ rows: [FULL], skipped: 0 });
  });

  it.each([null, {}, 'rows', 7, { data: [FULL] }, true])('CAT-9: %j is no utilization', (root) => {
    expect(readUtilization(root)).toBeUndefined();
  });

  it.each([
    null,
    7,
    'a/one',
    [],
    {},
    { ...FULL, name: undefined },
    { ...FULL, name: '' },
    { ...FULL, name: 7 },
  ])('CAT-12: skips and counts %j, and uses the rest', (row) => {
    expect(readUtilization([FULL, row, FULL])).toEqual({ rows: [FULL, FULL], skipped: 1 });
  });

  describe.each(NUMBER_FIELDS)('%s', (field) => {
    // JSON.parse makes Infinity of a number that is too large.
    it.each(['"0.5"', '"text"', 'true', '[]', '{}', '1e400', '-1e400', '""'])(
      'CAT-13: a row in which it is %s is skipped and counted',
      (json) => {
        const row = { ...FULL, [field]: JSON.parse(json) as unknown };
        expect(readUtilization([FULL, row])).toEqual({ rows: [FULL], skipped: 1 });
      },
    );

    it.each([null, undefined])('CAT-14: a row in which it is %s is used', (value) => {
      const read = readUtilization([{ ...FULL, [field]: value }]);
      expect(read).toEqual({ rows: [{ ...FULL, [field]: null }], skipped: 0 });
    });

    it.each([0, -1, 1e-9, 1e300])('CAT-13: a row in which it is %d is used as it is', (value) => {
      expect(readUtilization([{ ...FULL, [field]: value }])?.rows).toEqual([{ ...FULL, [field]: value }]);
    });
  });

  it('CAT-14: a row with nothing but a name is used', () => {
    const read = readUtilization([{ name: 'a/one' }]);
    const nothing = Object.fromEntries(NUMBER_FIELDS.map((field) => [field, null]));
    expect(read).toEqual({ rows: [{ name: 'a/one', scalable: false, ...nothing }], skipped: 0 });
  });

  it('CAT-10: has no usable row in an empty array, and in one of unusable rows', () => {
    expect(readUtilization([])).toEqual({ rows: [], skipped: 0 });
    expect(readUtilization([null, {}])).toEqual({ rows: [], skipped: 2 });
  });
});
