import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { timeToHeaders } from './attempt-clock.js';
import { FirstBytes } from './learned-deadline.js';

test.each<[string, number[], number, number]>([
  ['with 19 first bytes nothing is known', times(19, 100), 0, Infinity],
  ['it is five seconds at least', times(20, 100), 0, 5_000],
  ['it is three times what 95 of 100 take', [...times(94, 100), ...times(6, 4_000)], 0, 12_000],
  ['five slow ones of 100 do not count', [...times(95, 100), ...times(5, 60_000)], 0, 5_000],
  ['the last hundred count', [...times(100, 60_000), ...times(100, 100)], 0, 5_000],
  ['a prompt has a second more for every 8000 bytes', times(20, 100), 40_000, 10_000],
])('CDN-10: %s', (_, observed, promptBytes, expected) => {
  const firstBytes = new FirstBytes();
  for (const ms of observed) firstBytes.observe(ms);
  expect(firstBytes.deadlineMs(promptBytes)).toBe(expected);
});

test('CDN-10: it goes by the last hundred, whatever came', () => {
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

describe('when the whole fleet slows down', () => {
  const settings = { headerTimeoutMs: 30_000, firstByteTimeoutMs: 30_000, patientTimeoutMs: 620_000 };

  /** How many attempts at models that take so long it takes until one of them answers; `undefined` if none does. */
  function attemptsNeeded(
    takesMs: number,
    models: number,
    learnedMs: (n: number) => number,
    known: FirstBytes,
  ) {
    for (let n = 0; n < models; n += 1) {
      const clock = {
        settings,
        hasAlternative: n + 1 < models,
        failoverUntilMs: 180_000,
        learnedMs: learnedMs(n),
      };
      const allowedMs = timeToHeaders(clock, 0);
      known.observe(Math.min(takesMs, allowedMs));
      if (takesMs <= allowedMs) return n + 1;
    }
    return undefined;
  }

  test.each([6_000, 12_000, 29_000])(
    'CDN-10: to %i ms, no request fails, and soon none needs a second attempt',
    (takesMs) => {
      const known = fleetThatWasFast();
      const needed = Array.from({ length: 300 }, () =>
        attemptsNeeded(takesMs, 8, (n) => (n === 0 ? known.deadlineMs(0) : Infinity), known),
      );
      expect(Math.max(...needed.map((n) => n ?? Infinity))).toBe(2);
      expect(needed.slice(-100)).toEqual(times(100, 1));
    },
  );

  test('CDN-10: had all attempts such a deadline, requests would fail, or wait for the last one', () => {
    const known = fleetThatWasFast();
    const needed = Array.from({ length: 3 }, () =>
      attemptsNeeded(29_000, 3, () => known.deadlineMs(0), known),
    );
    expect(needed[0]).toBe(3);
  });
});

function times(n: number, ms: number): number[] {
  return Array.from({ length: n }, () => ms);
}

function fleetThatWasFast(): FirstBytes {
  const known = new FirstBytes();
  for (let n = 0; n < 100; n += 1) known.observe(800);
  return known;
}
