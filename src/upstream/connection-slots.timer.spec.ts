import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ConnectionSlots, type Waiter } from './connection-slots.timer.js';

const MAX_WAIT_MS = 100;

describe('two slots', () => {
  let slots: ConnectionSlots;
  let events: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    slots = new ConnectionSlots(2, MAX_WAIT_MS);
    events = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  function waiter(name: string): Waiter {
    return {
      granted: () => events.push(`${name} granted`),
      timedOut: () => events.push(`${name} timed out`),
    };
  }

  test('ATT-25: are granted at once while they are free', () => {
    slots.take(waiter('a'));
    slots.take(waiter('b'));
    slots.take(waiter('c'));
    expect(events).toEqual(['a granted', 'b granted']);
  });

  test('ATT-25: go to those who wait, the first come first', async () => {
    for (const name of ['a', 'b', 'c', 'd']) slots.take(waiter(name));
    events = [];
    slots.release();
    slots.release();
    await Promise.resolve();
    expect(events).toEqual(['c granted', 'd granted']);
  });

  test('ATT-25: who waits too long is told so, once and after exactly the time', () => {
    for (const name of ['a', 'b', 'c']) slots.take(waiter(name));
    events = [];
    jest.advanceTimersByTime(MAX_WAIT_MS - 1);
    expect(events).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(events).toEqual(['c timed out']);
  });

  test('ATT-25: a slot that nobody waits for any more is free for the next', async () => {
    for (const name of ['a', 'b', 'c']) slots.take(waiter(name));
    jest.advanceTimersByTime(MAX_WAIT_MS);
    events = [];
    slots.release();
    slots.take(waiter('d'));
    slots.take(waiter('e'));
    await Promise.resolve();
    expect(events).toEqual(['d granted']);
  });

  test('ATT-25, ATT-28: who leaves the line gets neither a slot nor an answer', async () => {
    const c = waiter('c');
    for (const one of [waiter('a'), waiter('b'), c, waiter('d')]) slots.take(one);
    events = [];
    slots.leave(c);
    slots.release();
    await Promise.resolve();
    jest.advanceTimersByTime(MAX_WAIT_MS);
    expect(events).toEqual(['d granted']);
  });

  test('ATT-25: who was granted a slot is not timed out later', async () => {
    for (const name of ['a', 'b', 'c']) slots.take(waiter(name));
    slots.release();
    await Promise.resolve();
    events = [];
    jest.advanceTimersByTime(MAX_WAIT_MS);
    expect(events).toEqual([]);
  });
});
