import { describe, expect, it } from '@jest/globals';
import { delayToNextRun } from './refresh-schedule.js';

const GOOD = { failures: 0, isLoaded: true };
const MIDDLE = 0.5;

describe('after a good run', () => {
  it.each([
    [5_000, 0, 5_000],
    [5_000, 1_200, 3_800],
    // A run that took longer than its interval: the next one begins when it would have begun.
    [5_000, 5_000, 5_000],
    [5_000, 9_999, 1],
    [5_000, 10_500, 4_500],
    [1, 0, 1],
    [1, 0.25, 0.75],
  ])('CAT-4: every %d ms, took %d ms: the next one begins %d ms later', (everyMs, tookMs, delayMs) => {
    for (const random of [0, MIDDLE, 0.999]) {
      expect(delayToNextRun({ ...GOOD, everyMs, tookMs }, random)).toBe(delayMs);
    }
  });
});

describe('after failed runs', () => {
  it.each([
    [300_000, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]],
    [5_000, [1_000, 2_000, 4_000, 5_000, 5_000]],
    [1_500, [1_000, 1_500, 1_500]],
    [20, [20, 20]],
  ])('CAT-18: every %d ms, once loaded: %j', (everyMs, delaysMs) => {
    for (const [before, delayMs] of delaysMs.entries()) {
      const run = { everyMs, tookMs: 10_000, failures: before + 1, isLoaded: true };
      expect(delayToNextRun(run, MIDDLE)).toBe(delayMs);
      expect(delayToNextRun(run, 0)).toBeCloseTo(0.8 * delayMs);
      expect(delayToNextRun(run, 1)).toBeCloseTo(Math.min(1.2 * delayMs, everyMs));
    }
  });

  it.each([
    [300_000, [1_000, 2_000, 4_000, 4_000, 4_000]],
    [5_000, [1_000, 2_000, 4_000, 4_000]],
    [1_500, [1_000, 1_500, 1_500]],
  ])('CAT-19: every %d ms, never loaded: %j, and never more than 4 s', (everyMs, delaysMs) => {
    for (const [before, delayMs] of delaysMs.entries()) {
      const run = { everyMs, tookMs: 0, failures: before + 1, isLoaded: false };
      expect(delayToNextRun(run, MIDDLE)).toBe(delayMs);
      expect(delayToNextRun(run, 1)).toBeLessThanOrEqual(4_000);
    }
  });

  it('CAT-18: a thousand failures are no trouble', () => {
    const run = { everyMs: 300_000, tookMs: 0, failures: 5_000, isLoaded: true };
    expect(delayToNextRun(run, MIDDLE)).toBe(300_000);
  });
});
