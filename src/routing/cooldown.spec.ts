import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  afterFailure,
  afterFirstByte,
  afterNothing,
  afterStart,
  afterSuccess,
  type Attempt,
  attemptAt,
  isCooling,
  type ModelHealth,
  PROBE_MS,
} from './cooldown.js';

const SETTINGS = { failures: 3, cooldownMs: 15_000, maxMs: 120_000 };
const MIDDLE = 0.5;
/** When the cooldown of {@link THREE} is over. */
const OVER = 15_002;

type Event = readonly [
  atMs: number,
  what: 'start' | 'answer' | 'fail' | 'break' | 'succeed' | 'nothing',
  attempt?: string,
];

/** What is known after these events. An attempt without a name began when it ended. */
function after(events: readonly Event[], settings = SETTINGS, chance = MIDDLE): ModelHealth | undefined {
  const attempts = new Map<string, Attempt>();
  let health: ModelHealth | undefined;
  for (const [atMs, what, name = ''] of events) {
    const attempt = attempts.get(name) ?? { beganAtMs: atMs, probesAfterMs: undefined };
    switch (what) {
      case 'start': {
        const begun = attemptAt(health, atMs);
        attempts.set(name, begun);
        if (health && begun.probesAfterMs !== undefined) health = afterStart(health, begun);
        break;
      }
      case 'answer':
        health &&= afterFirstByte(health);
        break;
      case 'fail':
      case 'break':
        health = afterFailure(health, attempt, { atMs, isBroken: what === 'break' }, settings, chance);
        break;
      case 'succeed':
        health &&= afterSuccess(health, attempt);
        break;
      case 'nothing':
        health &&= afterNothing(health, attempt);
    }
  }
  return health;
}

const THREE: Event[] = [
  [0, 'fail'],
  [1, 'fail'],
  [2, 'fail'],
];
const BROKEN: Event[] = [
  [4, 'answer'],
  [5, 'break'],
  [6, 'answer'],
  [7, 'break'],
];
const PROBED: Event[] = [...THREE, [OVER, 'start', 'probe']];
/** The first probe has taken too long, and another one runs. */
const TWICE: Event[] = [...PROBED, [OVER + PROBE_MS, 'start', 'second']];

describe('a model cools', () => {
  test.each<[string, Event[], number, boolean]>([
    ['nothing happened', [], 0, false],
    ['it failed twice in a row', THREE.slice(1), 3, false],
    ['it failed three times in a row', THREE, 3, true],
    ['a success lay between', [...THREE.slice(1), [3, 'succeed'], [4, 'fail']], 5, false],
    ['something else lay between', [...THREE.slice(1), [3, 'nothing'], [4, 'fail']], 5, true],
    ['it answered well meanwhile', [...THREE, [3, 'succeed']], 4, false],
    ['what ran before finishes', [[-1, 'start', 'old'], ...THREE, [3, 'succeed', 'old']], 4, true],
    [
      'what ran before finishes between its failures',
      [[-1, 'start', 'old'], ...THREE.slice(1), [3, 'succeed', 'old'], [4, 'fail']],
      5,
      true,
    ],
    [
      'what began with the last that failed ends well',
      [...THREE.slice(1), [2, 'start', 'new'], [3, 'succeed', 'new'], [4, 'fail']],
      5,
      false,
    ],
    ['a stream began between its failures', [...THREE.slice(1), [3, 'answer'], [4, 'fail']], 5, false],
    ['a stream began meanwhile', [...THREE, [3, 'answer']], 4, true],
    ['three streams broke', [...BROKEN, [8, 'answer'], [9, 'break']], 10, true],
    ['streams broke and others did not begin', [...BROKEN, [8, 'fail']], 9, true],
    [
      'what ran before finishes between streams that broke',
      [[-1, 'start', 'old'], ...BROKEN, [7, 'succeed', 'old'], [9, 'break']],
      10,
      false,
    ],
    ['its time is over', THREE, OVER, false],
    ['its probe runs', PROBED, OVER + 1, true],
    ['its probe has run for ten seconds', PROBED, OVER + PROBE_MS, false],
    ['its probe succeeded', [...PROBED, [OVER + 9, 'succeed', 'probe']], OVER + 10, false],
    ['its probe failed', [...PROBED, [OVER + 9, 'fail', 'probe']], OVER + 10, true],
    ['its probe showed nothing', [...PROBED, [OVER + 9, 'nothing', 'probe']], OVER + 10, false],
    [
      'another attempt showed nothing while its probe runs',
      [...PROBED, [OVER + 9, 'nothing']],
      OVER + 10,
      true,
    ],
    ['an attempt from before failed after its time', [...THREE, [OVER, 'fail']], OVER + 1, false],
    [
      'three from before failed after its time',
      [...THREE, [OVER, 'fail'], [OVER, 'fail'], [OVER, 'fail']],
      OVER + 1,
      true,
    ],
    ['a second probe runs, since the first took too long', TWICE, OVER + PROBE_MS + 1, true],
  ])('CDN-1, CDN-6: when %s', (_, events, atMs, expected) => {
    expect(isCooling(after(events), atMs)).toBe(expected);
  });

  test('CDN-1: once, however many of its requests fail together', () => {
    const hundred = Array.from({ length: 100 }, (_, n): Event => [n, 'fail']);
    expect(after(hundred)).toEqual({ ...after(THREE), failedFromMs: 99 });
  });

  test('CDN-4: anew when a probe fails that has taken too long: a model that hangs gets no more of them', () => {
    const failed = after([...TWICE, [OVER + 30_000, 'fail', 'probe']]);
    expect(failed).toMatchObject({ cooldowns: 2, probe: undefined });
    // The second one fails in the cooldown that the first one led to.
    const both = after([...TWICE, [OVER + 30_000, 'fail', 'probe'], [OVER + 40_000, 'fail', 'second']]);
    expect(both).toEqual({ ...failed, failedFromMs: OVER + PROBE_MS });
  });

  test('CDN-4: no longer for a probe of before its last success', () => {
    const again = THREE.map(([atMs, what]): Event => [atMs + 60_000, what]);
    const events: Event[] = [...PROBED, [OVER + 9, 'succeed'], ...again, [60_002 + 15_000, 'fail', 'probe']];
    expect(after(events)).toMatchObject({ cooldowns: 1, failures: 1 });
  });

  test('CDN-4: until the probe that runs has ended, whatever the one before shows', () => {
    expect(after([...TWICE, [OVER + 12_000, 'nothing', 'probe']])).toEqual(after(TWICE));
  });
});

test('CDN-2: each cooldown after a failed probe takes twice as long, up to the longest', () => {
  let health = after(THREE);
  const lengths: number[] = [];
  for (let nowMs = 2; lengths.length < 6;) {
    lengths.push((health?.coolUntilMs ?? NaN) - nowMs);
    nowMs = health?.coolUntilMs ?? NaN;
    health = afterFailure(
      health,
      attemptAt(health, nowMs),
      { atMs: nowMs, isBroken: false },
      SETTINGS,
      MIDDLE,
    );
  }
  expect(lengths).toEqual([15_000, 30_000, 60_000, 120_000, 120_000, 120_000]);
});

test('CDN-2: after a success the first one is short again', () => {
  const again = THREE.map(([atMs, what]): Event => [atMs + 50_000, what]);
  const health = after([...PROBED, [16_000, 'fail', 'probe'], [48_000, 'succeed'], ...again]);
  expect(health).toMatchObject({ cooldowns: 1, coolUntilMs: 50_002 + 15_000 });
});

test.each([
  [0, 13_500],
  [1, 16_500],
])('CDN-2: it takes up to a tenth less or more: at chance %d %d ms', (chance, lengthMs) => {
  expect(after(THREE, SETTINGS, chance)?.coolUntilMs).toBeCloseTo(2 + lengthMs, 6);
});

test('CDN-1: not while streams begin between its failures, however many run at a time', () => {
  let health: ModelHealth | undefined;
  const running: Attempt[] = [];
  // Two in a hundred fail, and what is written takes as long as three hundred others.
  for (let nowMs = 0; nowMs < 10_000; nowMs += 1) {
    const attempt = attemptAt(health, nowMs);
    if (nowMs % 50 === 0) {
      health = afterFailure(health, attempt, { atMs: nowMs, isBroken: false }, SETTINGS, MIDDLE);
    } else {
      health &&= afterFirstByte(health);
      running.push(attempt);
    }
    const finished = running.length > 300 ? running.shift() : undefined;
    if (finished) health &&= afterSuccess(health, finished);
    expect(isCooling(health, nowMs)).toBe(false);
  }
});

test('CDN-12: with 0 failures there is none', () => {
  expect(isCooling(after(THREE, { ...SETTINGS, failures: 0 }), 3)).toBe(false);
});

test('CDN-4: of attempts that begin when it is over one is the probe, until it has ended or for ten seconds', () => {
  const starts = fc.array(fc.integer({ min: OVER, max: 60_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(starts, (times) => {
      const events = [...THREE];
      let lastProbeMs = -Infinity;
      for (const nowMs of times.toSorted((a, b) => a - b)) {
        const isFree = !isCooling(after(events), nowMs);
        expect(isFree).toBe(nowMs >= lastProbeMs + PROBE_MS);
        events.push([nowMs, 'start', 'one of many']);
        if (isFree) lastProbeMs = nowMs;
      }
    }),
  );
});
