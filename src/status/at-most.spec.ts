import { expect, test } from '@jest/globals';
import { AtMost } from './at-most.js';

test('STA-8: lets as many through as it may in any second, however they come', () => {
  const limit = new AtMost(3, 1_000);
  const passed = (times: readonly number[]) => times.filter((nowMs) => limit.passes(nowMs));
  expect(passed([0, 10, 900, 950, 999])).toEqual([0, 10, 900]);
  // Not three more because another second has begun: only those that are a second old make room.
  expect(passed([1_000, 1_005, 1_010, 1_899, 1_900, 1_901])).toEqual([1_000, 1_010, 1_900]);
  expect(passed([9_000, 9_000, 9_000, 9_000])).toHaveLength(3);
});
