import { expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import { pinnedFirst, placeOf } from './candidate-order.js';

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
