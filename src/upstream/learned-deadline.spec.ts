import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { FirstBytes } from './learned-deadline.js';

test.each<[string, number[], number, number]>([
  ['with 19 first bytes nothing is known', times(19, 100), 0, Infinity],
  ['it is five seconds at least', times(20, 100), 0, 5_000],
  ['it is three times what 95 of 100 take', [...times(94, 100), ...times(6, 4_000)], 0, 12_000],
  ['five slow ones of 100 do not count', [...times(95, 100), ...times(5, 60_000)], 0, 5_000],
  ['the last hundred count', [...times(100, 60_000), ...times(100, 100)], 0, 5_000],
  ['a prompt has a second more for every 8000 bytes', times(20, 100), 40_000, 10_000],
])('CDN-4: %s', (_, observed, promptBytes, expected) => {
  const firstBytes = new FirstBytes();
  for (const ms of observed) firstBytes.observe(ms);
  expect(firstBytes.deadlineMs(promptBytes)).toBe(expected);
});

test('CDN-4: it goes by the last hundred, whatever came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 700_000, noNaN: true }), { maxLength: 350 }),
      (observed) => {
        const firstBytes = new FirstBytes();
        for (const ms of observed) firstBytes.observe(ms);
        const last = observed.slice(-100).toSorted((a, b) => a - b);
        const p95 = last[Math.ceil(0.95 * last.length) - 1] ?? NaN;
        expect(firstBytes.deadlineMs(0)).toBe(last.length < 20 ? Infinity : Math.max(5_000, 3 * p95));
      },
    ),
  );
});

function times(n: number, ms: number): number[] {
  return Array.from({ length: n }, () => ms);
}
