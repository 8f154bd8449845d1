import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { array, assert, asyncProperty, nat, option, record } from 'fast-check';
import { type Deadline, Deadlines } from './deadlines.timer.js';

let deadlines: Deadlines;

beforeEach(() => {
  // Before a deadline has passed there is a turn for what has come meanwhile.
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  deadlines = new Deadlines();
});

afterEach(() => {
  jest.useRealTimers();
});

const inMs = (ms: number) => performance.now() + ms;

const byTime = (a: readonly number[], b: readonly number[]) =>
  (a[1] as number) - (b[1] as number) || (a[0] as number) - (b[0] as number);

test('ATT-23: each passes at its own moment, once, wherever it was moved to before', async () => {
  const move = record({ which: nat(4), afterMs: nat(30), forMs: option(nat(60)) });
  await assert(
    asyncProperty(array(move, { maxLength: 30 }), async (moves) => {
      const passed: (readonly [number, number])[] = [];
      const expected: (readonly [number, number])[] = [];
      const due = new Map<number, number>();
      const all = Array.from({ length: 5 }, (_, which) =>
        deadlines.for({ onDeadline: () => passed.push([which, Math.round(performance.now())]) }),
      );
      const startMs = performance.now();
      const goOn = async (ms: number) => {
        for (let n = 0; n < ms; n++) {
          await jest.advanceTimersByTimeAsync(1);
          const nowMs = performance.now();
          for (const [which, atMs] of due) {
            if (atMs > nowMs) continue;
            due.delete(which);
            expected.push([which, Math.round(Math.max(atMs, startMs))]);
          }
        }
      };
      for (const { which, afterMs, forMs } of moves) {
        await goOn(afterMs);
        const deadline = all[which] as Deadline;
        if (forMs === null) {
          deadline.clear();
          due.delete(which);
        } else {
          // What is due at once passes with the next tick.
          const ms = Math.max(1, forMs);
          deadline.set(inMs(ms));
          due.set(which, inMs(ms));
        }
      }
      await goOn(61);
      expect(passed.toSorted(byTime)).toEqual(expected.toSorted(byTime));
    }),
    { numRuns: 50 },
  );
});

test('ATT-23: one that is moved by what came while the process stood still has not passed', async () => {
  const onDeadline = jest.fn();
  const deadline = deadlines.for({ onDeadline });
  deadline.set(inMs(100));
  setImmediate(() => deadline.set(inMs(100)));
  jest.advanceTimersByTime(100);
  await new Promise((resolve) => setImmediate(resolve));
  expect(onDeadline).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(100);
  expect(onDeadline).toHaveBeenCalledTimes(1);
});

test('ATT-23: one that passes may be set again, and call off others', async () => {
  const passed: string[] = [];
  const first = deadlines.for({
    onDeadline() {
      passed.push('first');
      second.clear();
      if (passed.length < 3) first.set(inMs(10));
    },
  });
  const second = deadlines.for({ onDeadline: () => passed.push('second') });
  first.set(inMs(10));
  second.set(inMs(10));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(passed).toEqual(['first', 'first', 'first']);
  expect(jest.getTimerCount()).toBe(0);
});
