import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { FirstTokens } from './first-tokens.js';

const MINUTE_MS = 60_000;

type Seen = readonly [seconds: number, atMinute: number];

test.each<[string, Seen[], number | undefined]>([
  ['nothing', [], undefined],
  ['four', at(9, 1, 2, 3, 4), undefined],
  ['five', at(9, 5, 1, 4, 2, 3), 3],
  ['six: the middle of the two in the middle', at(9, 6, 1, 5, 2, 4, 3), 3.5],
  ['five, of which one is ten minutes old', [[9, 0], ...at(9, 1, 2, 3, 4)], undefined],
  ['six, of which one is ten minutes old', [[9, 0], ...at(9, 1, 2, 3, 4, 5)], 3],
  ['five of nearly ten minutes ago', at(0.01, 1, 2, 3, 4, 5), 3],
])('RNK-15: with %s', (_, seen, median) => {
  expect(after(seen).medianS('m/a', 10 * MINUTE_MS)).toBe(median);
});

test('RNK-15: each model has its own', () => {
  const tokens = after(at(9, 1, 1, 1, 1, 1));
  for (let n = 0; n < 5; n += 1) tokens.observe('m/b', 9, 9 * MINUTE_MS);
  expect(['m/a', 'm/b', 'm/c'].map((model) => tokens.medianS(model, 9 * MINUTE_MS))).toEqual([
    1,
    9,
    undefined,
  ]);
});

test('RNK-15: it is the median of the last 256 at most, whatever came', () => {
  const seen = fc.array(
    fc.record({
      seconds: fc.double({ min: 0, max: 700, noNaN: true }),
      stepMs: fc.integer({ min: 0, max: 20_000 }),
    }),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(seen, (all) => {
      const tokens = new FirstTokens();
      let nowMs = 0;
      const known: (readonly [number, number])[] = [];
      for (const { seconds, stepMs } of all) {
        nowMs += stepMs;
        tokens.observe('m/a', seconds, nowMs);
        known.push([seconds, nowMs]);
      }
      const counted = known
        .slice(-256)
        .filter(([, atMs]) => atMs > nowMs - 10 * MINUTE_MS)
        .map(([seconds]) => seconds)
        .toSorted((a, b) => a - b);
      const half = (counted.length - 1) / 2;
      const median = ((counted[Math.floor(half)] ?? NaN) + (counted[Math.ceil(half)] ?? NaN)) / 2;
      expect(tokens.medianS('m/a', nowMs)).toEqual(counted.length < 5 ? undefined : median);
    }),
  );
});

test('RNK-15: of very many models the one that answered last is still known', () => {
  const tokens = new FirstTokens();
  for (let model = 0; model < 2_000; model += 1) {
    for (let n = 0; n < 5; n += 1) tokens.observe(`m/${model}`, model, model);
  }
  expect([0, 1_999].map((model) => tokens.medianS(`m/${model}`, 2_000))).toEqual([undefined, 1_999]);
});

function at(minute: number, ...seconds: readonly number[]): Seen[] {
  return seconds.map((one) => [one, minute]);
}

function after(seen: readonly Seen[]): FirstTokens {
  const tokens = new FirstTokens();
  for (const [seconds, minute] of seen) tokens.observe('m/a', seconds, minute * MINUTE_MS);
  return tokens;
}
