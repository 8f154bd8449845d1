import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { type ClientKey, clientKey } from './client-key.js';
import { keyedHash } from './keyed-hash.js';
import { MemoryStore } from './memory.store.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(30_000);

const A = { model: 'a' as ModelId };
const B = { model: 'b' as ModelId };
const ONE_HOUR = 3_600_000;

describe('how many', () => {
  test('STK-6: 100,000 clients leave as many pins as there may be, and the last ones are there', () => {
    const store = new MemoryStore({ maxEntries: 100, ttlMs: ONE_HOUR });
    const keys = Array.from({ length: 100_000 }, (_, i) => keyOf(`cpk_${i}`));
    for (const key of keys) store.set(key, A);
    expect(store.size).toBe(100);
    expect(pinnedAmong(store, keys)).toEqual(keys.slice(-100));
  });

  test('STK-6: the least recently set goes first', () => {
    const { store, keys } = filled(3, ['one', 'two', 'three']);
    store.set(keyOf('four'), A);
    expect(pinnedAmong(store, keys)).toEqual(keys.slice(1));
  });

  test.each<[string, (store: MemoryStore) => void]>([
    ['reading', (store) => store.get(keyOf('one'))],
    ['renewing', (store) => store.set(keyOf('one'), B)],
  ])('STK-6: %s is a use', (_, use) => {
    const { store, keys } = filled(3, ['one', 'two', 'three']);
    use(store);
    store.set(keyOf('four'), A);
    expect(pinnedAmong(store, keys)).toEqual([keyOf('one'), keyOf('three')]);
  });

  test('STK-6: what is dropped makes room', () => {
    const { store, keys } = filled(3, ['one', 'two', 'three']);
    store.drop(keyOf('two'), A.model);
    store.set(keyOf('four'), A);
    expect(pinnedAmong(store, keys)).toEqual([keyOf('one'), keyOf('three')]);
  });

  test('STK-6: an operation costs about as much with 500 pins as with 100,000', () => {
    // In proportion to the size it would be 200 times as much.
    const small = cpuTimeOf(5_000, 500);
    const large = cpuTimeOf(5_000, 100_000);
    expect(large).toBeLessThan(50 * Math.max(small, 5_000));
  });
});

describe('which', () => {
  test('STK-1: a pin is found by its key alone', () => {
    const { store } = filled(3, ['one']);
    expect(store.get(keyOf('one'))).toEqual(A);
    expect(store.get(keyOf('two'))).toBeUndefined();
  });

  test('STK-8: a pin is dropped from the model that failed, not from the one it has moved to', () => {
    const { store } = filled(3, ['one']);
    store.drop(keyOf('one'), B.model);
    expect(store.get(keyOf('one'))).toEqual(A);
    store.drop(keyOf('one'), A.model);
    expect(store.get(keyOf('one'))).toBeUndefined();
    store.drop(keyOf('two'), A.model);
    expect(store.size).toBe(0);
  });
});

describe('how long', () => {
  let nowMs = 0;

  beforeEach(() => {
    nowMs = 5_000;
    jest.useFakeTimers({ doNotFake: ['performance'] });
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  function pass(ms: number): void {
    nowMs += ms;
    jest.advanceTimersByTime(ms);
  }

  test('STK-5: a pin lives its time, not longer', () => {
    const { store } = filled(3, ['one'], 60_000);
    pass(59_900);
    expect(store.get(keyOf('one'))).toEqual(A);
    pass(200);
    expect(store.get(keyOf('one'))).toBeUndefined();
  });

  test('STK-5, STK-38: whatever becomes of the wall clock', () => {
    const { store } = filled(3, ['one'], 60_000);
    jest.setSystemTime(Date.now() - ONE_HOUR);
    pass(59_900);
    expect(store.get(keyOf('one'))).toEqual(A);
    jest.setSystemTime(Date.now() - ONE_HOUR);
    pass(200);
    expect(store.get(keyOf('one'))).toBeUndefined();
  });

  test('STK-5: setting it again renews it, reading it does not', () => {
    const { store } = filled(3, ['read', 'renewed'], 60_000);
    pass(40_000);
    store.get(keyOf('read'));
    store.set(keyOf('renewed'), A);
    pass(40_000);
    expect(store.get(keyOf('read'))).toBeUndefined();
    expect(store.get(keyOf('renewed'))).toEqual(A);
  });
});

function filled(maxEntries: number, names: readonly string[], ttlMs = ONE_HOUR) {
  const store = new MemoryStore({ maxEntries, ttlMs });
  for (const name of names) store.set(keyOf(name), A);
  return { store, keys: names.map(keyOf) };
}

function keyOf(token: string): ClientKey {
  const client = { authorization: `Bearer ${token}`, address: () => '203.0.113.1', session: undefined };
  return clientKey(keyedHash('secret'), client, 'm');
}

function pinnedAmong(store: MemoryStore, keys: readonly ClientKey[]): ClientKey[] {
  return keys.filter((key) => store.get(key) !== undefined);
}

/** Of reading and setting a pin so many times in a full store, in microseconds. */
function cpuTimeOf(operations: number, maxEntries: number): number {
  const keys = Array.from({ length: maxEntries * 2 }, (_, i) => `key ${i}` as ClientKey);
  const store = new MemoryStore({ maxEntries, ttlMs: ONE_HOUR });
  for (const key of keys) store.set(key, A);
  const before = process.cpuUsage();
  for (let i = 0; i < operations; i += 1) {
    const key = keys[(i * 7919) % keys.length] as ClientKey;
    store.get(key);
    store.set(key, A);
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
