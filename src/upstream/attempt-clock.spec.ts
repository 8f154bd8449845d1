import { describe, expect, test } from '@jest/globals';
import { type AttemptClock, timeToFirstByte, timeToHeaders } from './attempt-clock.js';

const settings = { headerTimeoutMs: 30, firstByteTimeoutMs: 20, patientTimeoutMs: 600 };

describe('time to the headers', () => {
  test.each<[string, string, Omit<AttemptClock, 'settings'>, number]>([
    ['ATT-18', 'another candidate could follow', { hasAlternative: true, failoverUntilMs: 1_000 }, 30],
    ['ATT-20', 'the timer fires at the very deadline', { hasAlternative: true, failoverUntilMs: 130 }, 30],
    ['ATT-20', 'the timer would fire past the deadline', { hasAlternative: true, failoverUntilMs: 129 }, 600],
    ['ATT-21', 'no other candidate could follow', { hasAlternative: false, failoverUntilMs: 1_000 }, 600],
  ])('%s: %s', (_clause, _, situation, ms) => {
    expect(timeToHeaders({ settings, ...situation }, 100)).toBe(ms);
  });
});

describe('with a deadline that was learned', () => {
  const could = { settings, hasAlternative: true, failoverUntilMs: 1_000 };

  test.each<[string, Partial<AttemptClock>, number, number]>([
    ['it is shorter', { learnedMs: 12 }, 12, 7],
    ['it is longer', { learnedMs: 200 }, 30, 20],
    ['it is over when the headers come', { learnedMs: 4 }, 4, 0],
    ['the setting would be too late, and it is not', { learnedMs: 12, failoverUntilMs: 113 }, 12, 7],
    ['it would be too late, too', { learnedMs: 25, failoverUntilMs: 113 }, 600, 595],
    ['no other candidate could follow', { learnedMs: 12, hasAlternative: false }, 600, 595],
  ])('CDN-10: %s', (_, situation, toHeadersMs, toFirstByteMs) => {
    const clock = { ...could, ...situation };
    expect(timeToHeaders(clock, 100)).toBe(toHeadersMs);
    expect(timeToFirstByte(clock, 100, 105)).toBe(toFirstByteMs);
  });
});

describe('time to the first byte, when the request was sent at 100 and the headers came at 150', () => {
  test.each<[string, string, Omit<AttemptClock, 'settings'>, number]>([
    ['ATT-19', 'another candidate could follow', { hasAlternative: true, failoverUntilMs: 1_000 }, 20],
    ['ATT-20', 'the timer fires at the very deadline', { hasAlternative: true, failoverUntilMs: 170 }, 20],
    ['ATT-20', 'the timer would fire past the deadline', { hasAlternative: true, failoverUntilMs: 169 }, 550],
    ['ATT-21', 'no other candidate could follow', { hasAlternative: false, failoverUntilMs: 1_000 }, 550],
  ])('%s: %s', (_clause, _, situation, ms) => {
    expect(timeToFirstByte({ settings, ...situation }, 100, 150)).toBe(ms);
  });

  test('ATT-21: the patient time counts from the sending, so that nothing may be left of it', () => {
    const clock = { settings, hasAlternative: false, failoverUntilMs: 1_000 };
    expect(timeToFirstByte(clock, 100, 700)).toBe(0);
    expect(timeToFirstByte(clock, 100, 800)).toBe(0);
  });
});
