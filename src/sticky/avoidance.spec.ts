import { describe, expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import {
  type Avoidance,
  avoidanceValue,
  avoidedAt,
  MAX_AVOIDANCE_BYTES,
  readAvoidanceValue,
  withAvoidance,
} from './avoidance.js';

const [A, B] = ['a', 'b'] as ModelId[] as [ModelId, ModelId];
const NOW = 1_000_000;

test.each<[string, Avoidance[] | undefined, ModelId[]]>([
  ['nothing is known', undefined, []],
  ['one is full', [{ model: A, untilMs: NOW + 1 }], [A]],
  ['its time is over', [{ model: A, untilMs: NOW }], []],
  ['one of two has its time behind it', [at(A, 0), at(B, 30_000)], [B]],
  ['its moment is by a clock that is a little ahead', [at(A, 30_001)], [A]],
  ['its moment is by a clock that was far ahead', [at(A, 60_001)], []],
])('CDN-8: who is avoided when %s', (_, known, expected) => {
  expect(avoidedAt(known, NOW, 30_000)).toEqual(expected);
});

test.each<[string, Avoidance[] | undefined, Avoidance, Avoidance[]]>([
  ['the first one', undefined, at(A, 30), [at(A, 30)]],
  ['another one', [at(A, 10)], at(B, 30), [at(A, 10), at(B, 30)]],
  ['one that is known', [at(A, 10), at(B, 20)], at(A, 30), [at(B, 20), at(A, 30)]],
  ['while the time of another is over', [at(A, 0)], at(B, 30), [at(B, 30)]],
])('CDN-8: %s is added', (_, known, added, expected) => {
  expect(withAvoidance(known, added, NOW)).toEqual(expected);
});

test('CDN-9: of many models the last ones are kept', () => {
  let known: readonly Avoidance[] | undefined;
  for (let n = 0; n < 20; n += 1) known = withAvoidance(known, at(`model ${n}` as ModelId, 30), NOW);
  expect(known?.map(({ model }) => model)).toEqual([12, 13, 14, 15, 16, 17, 18, 19].map((n) => `model ${n}`));
});

describe('avoided models as text', () => {
  test('CDN-9: what was written is read as it was', () => {
    const long = Array.from({ length: 8 }, (_, n) => at(`${n}${'\u0001'.repeat(255)}` as ModelId, n));
    for (const list of [[], [at(A, 1)], [at('a model, 2\nlines "of" ü' as ModelId, 1), at(B, 2)], long]) {
      expect(readAvoidanceValue(avoidanceValue(list))).toEqual(list);
    }
  });

  test.each([
    ['nothing', ''],
    ['a pin', '0 m/a'],
    ['another list', '[1,2]'],
    ['an object', '{"m/a":1}'],
    ['a moment that is no number', '[["m/a","1"]]'],
    ['too many', JSON.stringify(Array.from({ length: 9 }, (_, n) => [`m/${n}`, 1]))],
    ['a value that is too long', JSON.stringify([['x'.repeat(MAX_AVOIDANCE_BYTES), 1]])],
    ['no value', null],
  ])('CDN-9: %s is none', (_, value) => {
    expect(readAvoidanceValue(value)).toBeUndefined();
  });
});

function at(model: ModelId, inMs: number): Avoidance {
  return { model, untilMs: NOW + inMs };
}
