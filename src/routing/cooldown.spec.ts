import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { afterFailure, afterNothing, afterStart, isCooling, type ModelHealth, PROBE_MS } from './cooldown.js';

const SETTINGS = { failures: 3, cooldownMs: 15_000, maxMs: 120_000 };
const MIDDLE = 0.5;

type Event = readonly [atMs: number, what: 'start' | 'fail' | 'succeed' | 'nothing', beganAtMs?: number];

/** What is known after these events. An attempt that ends is the one that began at the moment that is given, or else long ago. */
function after(events: readonly Event[], settings = SETTINGS, chance = MIDDLE): ModelHealth | undefined {
  let health: ModelHealth | undefined;
  for (const [atMs, what, beganAtMs = -1] of events) {
    switch (what) {
      case 'start':
        health = afterStart(health, atMs);
        break;
      case 'fail':
        health = afterFailure(health, beganAtMs, atMs, settings, chance);
        break;
      case 'succeed':
        health = undefined;
        break;
      case 'nothing':
        health = afterNothing(health, beganAtMs);
    }
  }
  return health;
}

const THREE: Event[] = [
  [0, 'fail'],
  [1, 'fail'],
  [2, 'fail'],
];
const PROBE: Event = [15_002, 'start'];

describe('a cooldown', () => {
  test.each<[string, Event[], number, boolean]>([
    ['nothing happened', [], 0, false],
    ['it failed twice in a row', THREE.slice(1), 3, false],
    ['it failed three times in a row', THREE, 3, true],
    ['a success lay between', [...THREE.slice(1), [3, 'succeed'], [4, 'fail']], 5, false],
    ['its time is over', THREE, 15_002, false],
    ['its probe runs', [...THREE, PROBE], 15_003, true],
    ['its probe has run for ten seconds', [...THREE, PROBE], 15_002 + PROBE_MS, false],
    ['its probe succeeded', [...THREE, PROBE, [15_100, 'succeed', 15_002]], 15_101, false],
    ['its probe failed', [...THREE, PROBE, [15_100, 'fail', 15_002]], 15_101, true],
    ['its probe showed nothing', [...THREE, PROBE, [15_100, 'nothing', 15_002]], 15_101, false],
    [
      'another attempt showed nothing while its probe runs',
      [...THREE, PROBE, [15_100, 'nothing']],
      15_101,
      true,
    ],
    ['one that began before failed after its time', [...THREE, [15_100, 'fail']], 15_101, false],
  ])('CDN-1: when %s', (_, events, atMs, expected) => {
    expect(isCooling(after(events), atMs)).toBe(expected);
  });

  test('CDN-1: a failure in the middle of it changes nothing', () => {
    const before = after(THREE);
    expect(after([...THREE, [3, 'fail'], [4, 'fail'], [5, 'fail']])).toEqual(before);
  });

  test('CDN-2: each one after a failed probe takes twice as long, up to the longest', () => {
    let health = after(THREE);
    const lengths: number[] = [];
    for (let nowMs = 2; lengths.length < 6;) {
      lengths.push((health?.coolUntilMs ?? NaN) - nowMs);
      nowMs = health?.coolUntilMs ?? NaN;
      health = afterStart(health, nowMs);
      health = afterFailure(health, nowMs, nowMs, SETTINGS, MIDDLE);
    }
    expect(lengths).toEqual([15_000, 30_000, 60_000, 120_000, 120_000, 120_000]);
  });

  test.each([
    [0, 13_500],
    [1, 16_500],
  ])('CDN-2: it takes up to a tenth less or more: at chance %d %d ms', (chance, lengthMs) => {
    expect(after(THREE, SETTINGS, chance)?.coolUntilMs).toBeCloseTo(2 + lengthMs, 6);
  });

  test('CDN-3: with 0 failures there is none', () => {
    expect(isCooling(after(THREE, { ...SETTINGS, failures: 0 }), 3)).toBe(false);
  });

  test('CDN-1: of attempts that begin when it is over one is the probe, until it has ended or for ten seconds', () => {
    const starts = fc.array(fc.integer({ min: 15_002, max: 60_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(starts, (times) => {
        let health = after(THREE);
        let lastProbeMs = -Infinity;
        for (const nowMs of times.toSorted((a, b) => a - b)) {
          const wasFree = !isCooling(health, nowMs);
          expect(wasFree).toBe(nowMs >= lastProbeMs + PROBE_MS);
          health = afterStart(health, nowMs);
          if (wasFree) lastProbeMs = nowMs;
        }
      }),
    );
  });
});
