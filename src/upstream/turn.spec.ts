import { expect, test } from '@jest/globals';
import { endOfTurn } from './turn.js';

test('ATT-26: nobody waits longer than for the end of a turn, and those who do go on right after each other', async () => {
  const order: string[] = [];
  const wait = async (name: string) => {
    await endOfTurn();
    order.push(name);
  };
  const next = new Promise<void>((resolve) => setImmediate(() => resolve(wait('of the next turn'))));
  await Promise.all([wait('first'), wait('second'), next]);
  expect(order).toEqual(['first', 'second', 'of the next turn']);
});
