import { expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import { isSecondChoice, pinnedFirst, placeOf } from './candidate-order.js';

const CANDIDATES = (['a', 'b', 'c', 'd'] as ModelId[]).map((model): Candidate => ({ model, why: 'ranked' }));

test.each([
  ['ATT-1', 'no pin', undefined, 'abcd'],
  ['STK-1', 'the first one', 'a', 'abcd'],
  ['STK-2', 'one in the middle', 'c', 'cabd'],
  ['STK-2', 'the last one', 'd', 'dabc'],
  ['STK-1', 'a model that is no candidate any more', 'x', 'abcd'],
])('%s: the order with %s pinned', (_clause, _, pin, expected) => {
  const order = pinnedFirst(CANDIDATES, pin as ModelId | undefined);
  expect(CANDIDATES.map((_model, n) => CANDIDATES[placeOf(order, n)]?.model).join('')).toBe(expected);
});

test('STK-2: the list itself is shared, never copied', () => {
  expect(pinnedFirst(CANDIDATES, 'c' as ModelId).candidates).toBe(CANDIDATES);
});

test.each<[string, string | undefined, number, string, boolean]>([
  ['the first one answers', undefined, 0, 'a', false],
  ['the first one fails', undefined, 1, 'b', true],
  ['two fail', undefined, 2, 'c', true],
  ['the pinned one answers, whatever its place', 'c', 0, 'c', false],
  ['the pinned one fails, and the first one answers', 'c', 1, 'a', false],
  ['the pinned one fails, then the first one', 'c', 2, 'b', true],
  ['the pinned one fails, then two others, and one behind it answers', 'c', 3, 'd', true],
  ['the pinned one is the first one, and fails', 'a', 1, 'b', true],
])(
  'STK-19: a second choice is who answers because one before it failed: %s',
  (_, pin, n, model, expected) => {
    const order = pinnedFirst(CANDIDATES, pin as ModelId | undefined);
    expect(CANDIDATES[placeOf(order, n)]?.model).toBe(model);
    expect(isSecondChoice(order, n)).toBe(expected);
  },
);
