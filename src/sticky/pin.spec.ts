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
    ['STK-1', 'of the first choice', undefined, first, 30_000, { model: A }],
    ['STK-19', 'of a second choice', undefined, second, 30_000, { model: B, failbackAtMs: NOW + 30_000 }],
    ['STK-20', 'renewed', old, { model: B, isSecondChoice: true }, 30_000, old],
    ['STK-20', 'renewed, now in the first place', old, { model: B, isSecondChoice: false }, 30_000, old],
    ['STK-1', 'renewed without an end', { model: A }, first, 30_000, { model: A }],
    [
      'STK-1',
      'renewed though now in a later place',
      { model: A },
      { model: A, isSecondChoice: true },
      30_000,
      { model: A },
    ],
    ['STK-1', 'moved on to the first choice', old, first, 30_000, { model: A }],
    [
      'STK-19',
      'moved on to a second choice',
      { model: A },
      second,
      30_000,
      { model: B, failbackAtMs: NOW + 30_000 },
    ],
    ['STK-21', 'of a second choice, with failback off', undefined, second, 0, { model: B }],
  ])('%s: %s', (_clause, _, applied, answer, failbackMs, pin) => {
    expect(pinAfter(applied, answer, NOW, failbackMs)).toEqual(pin);
  });
});

test.each([
  ['that does not fail back', undefined, 30_000, true],
  ['whose moment is to come', NOW + 1, 30_000, true],
  ['that has just been made', NOW + 30_000, 30_000, true],
  ['whose moment has come', NOW, 30_000, false],
  ['whose moment is over', NOW - 1, 30_000, false],
  ['made by a clock that was ahead, or has been set back', NOW + 30_001, 30_000, false],
  ['made by a clock an hour ahead', NOW + 3_600_000, 30_000, false],
  ['of a replica where pins fail back, to one where they do not', NOW - 1, 0, true],
])('STK-19, STK-39: a pin %s (%s, %i ms) applies: %j', (_, failbackAtMs, failbackMs, result) => {
  const pin = failbackAtMs === undefined ? { model: A } : { model: A, failbackAtMs };
  expect(applies(pin, NOW, failbackMs)).toBe(result);
});
