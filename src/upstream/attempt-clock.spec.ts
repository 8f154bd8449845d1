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
