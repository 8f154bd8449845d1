import { describe, expect, test } from '@jest/globals';
import { NO_ADVICE } from '../../test/support/advice.js';
import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import {
  type Advice,
  candidateOrder,
  coolingLast,
  isSecondChoice,
  pinnedFirst,
  placeOf,
} from './candidate-order.js';

const CANDIDATES = (['a', 'b', 'c', 'd'] as ModelId[]).map((model): Candidate => ({ model, why: 'ranked' }));

test.each([
  ['ATT-1', 'no pin', undefined, 'abcd'],
  ['STK-1', 'the first one', 'a', 'abcd'],
  ['STK-2', 'one in the middle', 'c', 'cabd'],
  ['STK-2', 'the last one', 'd', 'dabc'],
  ['STK-1', 'a model that is no candidate any more', 'x', 'abcd'],
])('%s: the order with %s pinned', (_clause, _what, pin, expected) => {
  expect(tried(adviceOf('', '', pin))).toBe(expected);
});

describe('the recipe of the order', () => {
  test.each([
    ['one cools', 'a', '', undefined, 'bcda'],
    ['two cool', 'ca', '', undefined, 'bdac'],
    ['all cool', 'abcd', '', undefined, 'abcd'],
    ['one cools that is no candidate', 'x', '', undefined, 'abcd'],
    ['another one than the pinned cools', 'a', '', 'c', 'cbda'],
    ['one is full', '', 'a', undefined, 'bcda'],
    ['one is full and another cools', 'b', 'a', undefined, 'cdba'],
    ['one is full and cools', 'a', 'a', undefined, 'bcda'],
    ['all are full', '', 'abcd', undefined, 'abcd'],
  ])('CDN-3, CDN-8: when %s', (_, cooling, avoided, pinned, expected) => {
    expect(tried(adviceOf(cooling, avoided, pinned))).toBe(expected);
  });

  test('CDN-11: those that come last say why', () => {
    const { candidates } = candidateOrder(CANDIDATES, adviceOf('ab', 'b'));
    expect(candidates.map(({ model, why }) => [model, why])).toEqual([
      ['c', 'ranked'],
      ['d', 'ranked'],
      ['a', 'cooling'],
      ['b', 'avoided'],
    ]);
  });

  test('STK-2, CDN-3: while nobody is moved the list itself is shared, never copied', () => {
    expect(coolingLast(CANDIDATES, undefined)).toBe(CANDIDATES);
    expect(coolingLast(CANDIDATES, () => false)).toBe(CANDIDATES);
    expect(candidateOrder(CANDIDATES, NO_ADVICE).candidates).toBe(CANDIDATES);
    expect(candidateOrder(CANDIDATES, adviceOf('', '', 'c')).candidates).toBe(CANDIDATES);
    expect(pinnedFirst(CANDIDATES, 'c' as ModelId)).toBe(2);
  });
});

test.each<[string, Advice, number, string, boolean, boolean]>([
  ['the first', NO_ADVICE, 0, 'a', false, false],
  ['the second', NO_ADVICE, 1, 'b', true, true],
  ['the first after the pinned one', adviceOf('', '', 'c'), 1, 'a', false, false],
  ['the second after the pinned one and the first', adviceOf('', '', 'c'), 2, 'b', true, true],
  ['one behind the pinned one', adviceOf('', '', 'c'), 3, 'd', true, true],
  ['the second after the first, which is pinned', adviceOf('', '', 'a'), 1, 'b', true, true],
  ['the second while the first cools', adviceOf('a'), 0, 'b', true, false],
  ['the first that cools, after all others', adviceOf('a'), 3, 'a', false, false],
  ['the second while the first is full', adviceOf('', 'a'), 0, 'b', true, false],
  ['the first while another one cools', adviceOf('b'), 0, 'a', false, false],
])(
  'STK-48: whether %s is a second choice, in a list and for an alias',
  (_, advice, n, model, inList, ofAlias) => {
    const order = candidateOrder(CANDIDATES, advice);
    expect(order.candidates[placeOf(order, n)]?.model).toBe(model);
    expect([isSecondChoice(order, n, 'list'), isSecondChoice(order, n, 'alias')]).toEqual([inList, ofAlias]);
  },
);

function adviceOf(cooling: string, avoided = '', pinned?: string): Advice {
  return {
    isCooling: cooling === '' ? undefined : (model) => cooling.includes(model),
    avoided: Array.from(avoided) as ModelId[],
    pinned: pinned as ModelId | undefined,
  };
}

function tried(advice: Advice): string {
  const order = candidateOrder(CANDIDATES, advice);
  return order.candidates.map((_, n) => order.candidates[placeOf(order, n)]?.model).join('');
}
