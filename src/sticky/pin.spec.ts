import { describe, expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { applies, pinAfter } from './pin.js';

const A = 'a' as ModelId;
const B = 'b' as ModelId;
const NOW = 1_000_000;

describe('the pin after an answer', () => {
  const first = { model: A, isSecondChoice: false };
  const second = { model: B, isSecondChoice: true };
  const old = { model: B, failbackAtMs: NOW - 5_000 };

  test.each([
    ['of the first choice', undefined, first, 30_000, { model: A }],
    ['of a second choice', undefined, second, 30_000, { model: B, failbackAtMs: NOW + 30_000 }],
    ['renewed', old, { model: B, isSecondChoice: true }, 30_000, old],
    ['renewed, now in the first place', old, { model: B, isSecondChoice: false }, 30_000, old],
    ['renewed without an end', { model: A }, first, 30_000, { model: A }],
    [
      'STK-1: renewed though now in a later place',
      { model: A },
      { model: A, isSecondChoice: true },
      30_000,
      { model: A },
    ],
    ['moved on to the first choice', old, first, 30_000, { model: A }],
    [
      'STK-19: moved on to a second choice',
      { model: A },
      second,
      30_000,
      { model: B, failbackAtMs: NOW + 30_000 },
    ],
    ['of a second choice, with failback off', undefined, second, 0, { model: B }],
  ])('STK-1, STK-19, STK-20, STK-21: %s', (_, applied, answer, failbackMs, pin) => {
    expect(pinAfter(applied, answer, NOW, failbackMs)).toEqual(pin);
  });
});

test.each([
  [undefined, true],
  [NOW + 1, true],
  [NOW, false],
  [NOW - 1, false],
])('STK-19: a pin that fails back at %s applies at 1000000: %s', (failbackAtMs, result) => {
  expect(applies(failbackAtMs === undefined ? { model: A } : { model: A, failbackAtMs }, NOW)).toBe(result);
});
