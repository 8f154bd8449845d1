import { describe, expect, test } from '@jest/globals';
import { afterTurn, CALM, type Load } from './overload.js';

const LIMIT_MS = 500;
const OVERLOAD: Load = { ...CALM, lagMs: 800, isOverload: true };

/** A turn of so many milliseconds, one right after the other; short ones are measured every tenth of a second. */
function after(start: Load, turnsMs: readonly number[], limitMs = LIMIT_MS): Load {
  return turnsMs.reduce((load, ms) => afterTurn(load, ms, Math.max(ms, 100), limitMs), start);
}

function times(n: number, ms: number): number[] {
  return Array.from({ length: n }, () => ms);
}

describe('an overload begins', () => {
  test.each<[name: string, turns: number[], isOverload: boolean]>([
    ['with no turns', [], false],
    ['with short ones', times(50, 1), false],
    ['with ones just at the limit', times(20, 500), false],
    ['with ones above it for less than a second', times(1, 900), false],
    ['with ones above it for more than a second', times(3, 600), true],
    ['with two that took a second together', [1_000, 700], true],
    ['with short ones here and there', [921, 274, 1_100], true],
    ['with one that took seconds', [5_000], false],
    ['with one that took seconds, then short ones', [5_000, ...times(30, 1)], false],
    ['with a long one every other second', [800, ...times(20, 1), 800, ...times(20, 1), 800], false],
    ['with ones just below the limit, and a long one', [...times(9, 450), 900], false],
  ])('CFG-50: %s', (_, turns, isOverload) => {
    expect(after(CALM, turns).isOverload).toBe(isOverload);
  });
});

describe('an overload ends', () => {
  test.each<[name: string, turns: number[], isOverload: boolean]>([
    ['not with turns of the limit', times(20, 500), true],
    ['not with turns of half of it', times(20, 250), true],
    ['with shorter ones', times(20, 240), false],
    ['not with the first of them', [10], true],
    ['with a second of them', times(10, 10), false],
  ])('CFG-51: %s', (_, turns, isOverload) => {
    expect(after(OVERLOAD, turns).isOverload).toBe(isOverload);
  });

  test('CFG-51: and begins anew as the first one did', () => {
    const calm = after(OVERLOAD, times(20, 1));
    expect(after(calm, [900]).isOverload).toBe(false);
    expect(after(calm, times(3, 900)).isOverload).toBe(true);
  });
});

test('CFG-47: without a limit there is none, and the lag is known all the same', () => {
  const load = after(CALM, times(10, 5_000), 0);
  expect(load.isOverload).toBe(false);
  expect(load.lagMs).toBeGreaterThan(4_900);
});

test.each<[turns: number[], least: number, most: number]>([
  [times(20, 100), 90, 100],
  [times(100, 1), 0.9, 1],
  [[...times(20, 1), 200], 50, 100],
  [[...times(20, 300), ...times(10, 1)], 1, 45],
])('OBS-33: the lag is about that of the last second: %j', (turns, least, most) => {
  const { lagMs } = after(CALM, turns);
  expect(lagMs).toBeGreaterThanOrEqual(least);
  expect(lagMs).toBeLessThanOrEqual(most);
});
