import { expect, test } from '@jest/globals';
import { awaitEndOfTurn } from './turn.timer.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('ATT-26: nobody waits longer than for the end of a turn, and those who do go on right after each other', async () => {
  const order: string[] = [];
  const wait = (name: string, then = () => {}) =>
    awaitEndOfTurn({
      onEndOfTurn() {
        order.push(name);
        then();
      },
    });
  wait('first', () => wait('of the next turn'));
  wait('second');
  expect(order).toEqual([]);
  await nextTurn();
  expect(order).toEqual(['first', 'second']);
  await nextTurn();
  expect(order).toEqual(['first', 'second', 'of the next turn']);
});
