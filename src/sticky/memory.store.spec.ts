import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { type ClientKey, clientKey } from './client-key.js';
import { MemoryStore } from './memory.store.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(30_000);

const A = { model: 'a' as ModelId };
const B = { model: 'b' as ModelId };
const ONE_HOUR = 3_600_000;

describe('how many', () => {
  test('STK-6: 100,000 clients leave as many pins as there may be, and the last ones are there', async () => {
    const store = new MemoryStore({ maxEntries: 100, ttlMs: ONE_HOUR });
    const keys = Array.from({ length: 100_000 }, (_, i) => keyOf(`cpk_${i}`));
    for (const key of keys) await store.set(key, A);
    expect(store.size).toBe(100);
    expect(await pinnedAmong(store, keys)).toEqual(keys.slice(-100));
  });

  test('STK-6: the least recently set goes first', async () => {
    const { store, keys } = await filled(3, ['one', 'two', 'three']);
    await store.set(keyOf('four'), A);
    expect(await pinnedAmong(store, keys)).toEqual(keys.slice(1));
  });

  test.each<[string, (store: MemoryStore) => Promise<unknown>]>([
    ['reading', (store) => store.get(keyOf('one'))],
    ['renewing', (store) => store.set(keyOf('one'), B)],
  ])('STK-6: %s is a use', async (_, use) => {
    const { store, keys } = await filled(3, ['one', 'two', 'three']);
    await use(store);
    await store.set(keyOf('four'), A);
    expect(await pinnedAmong(store, keys)).toEqual([keyOf('one'), keyOf('three')]);
  });

  test('STK-6: what is dropped makes room', async () => {
    const { store, keys } = await filled(3, ['one', 'two', 'three']);
    await store.drop(keyOf('two'), A.model);
    await store.set(keyOf('four'), A);
    expect(await pinnedAmong(store, keys)).toEqual([keyOf('one'), keyOf('three')]);
  });

  test('STK-6: an operation costs about as much with 500 pins as with 100,000', async () => {
    // In proportion to the size it would be 200 times as much.
    const small = await cpuTimeOf(5_000, 500);
    const large = await cpuTimeOf(5_000, 100_000);
    expect(large).toBeLessThan(50 * Math.max(small, 5_000));
  });
});

describe('which', () => {
  test('STK-1: a pin is found by its key alone', async () => {
    const { store } = await filled(3, ['one']);
    expect(await store.get(keyOf('one'))).toEqual(A);
    expect(await store.get(keyOf('two'))).toBeUndefined();
  });

  test('STK-8: a pin is dropped from the model that failed, not from the one it has moved to', async () => {
    const { store } = await filled(3, ['one']);
    await store.drop(keyOf('one'), B.model);
    expect(await store.get(keyOf('one'))).toEqual(A);
    await store.drop(keyOf('one'), A.model);
    expect(await store.get(keyOf('one'))).toBeUndefined();
    await store.drop(keyOf('two'), A.model);
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

  test('STK-5: a pin lives its time, not longer', async () => {
    const { store } = await filled(3, ['one'], 60_000);
    pass(59_900);
    expect(await store.get(keyOf('one'))).toEqual(A);
    pass(200);
    expect(await store.get(keyOf('one'))).toBeUndefined();
  });

  test('STK-5: setting it again renews it, reading it does not', async () => {
    const { store } = await filled(3, ['read', 'renewed'], 60_000);
    pass(40_000);
    await store.get(keyOf('read'));
    await store.set(keyOf('renewed'), A);
    pass(40_000);
    expect(await store.get(keyOf('read'))).toBeUndefined();
    expect(await store.get(keyOf('renewed'))).toEqual(A);
  });
});

async function filled(maxEntries: number, names: readonly string[], ttlMs = ONE_HOUR) {
  const store = new MemoryStore({ maxEntries, ttlMs });
  for (const name of names) await store.set(keyOf(name), A);
  return { store, keys: names.map(keyOf) };
}

function keyOf(token: string): ClientKey {
  const client = { authorization: `Bearer ${token}`, address: () => '203.0.113.1', session: undefined };
  return clientKey('secret', client, 'm');
}

async function pinnedAmong(store: MemoryStore, keys: readonly ClientKey[]): Promise<ClientKey[]> {
  const pins = await Promise.all(keys.map((key) => store.get(key)));
  return keys.filter((_, i) => pins[i] !== undefined);
}

/** Of reading and setting a pin so many times in a full store, in microseconds. */
async function cpuTimeOf(operations: number, maxEntries: number): Promise<number> {
  const keys = Array.from({ length: maxEntries * 2 }, (_, i) => `key ${i}` as ClientKey);
  const store = new MemoryStore({ maxEntries, ttlMs: ONE_HOUR });
  for (const key of keys) await store.set(key, A);
  const before = process.cpuUsage();
  for (let i = 0; i < operations; i += 1) {
    const key = keys[(i * 7919) % keys.length] as ClientKey;
    await store.get(key);
    await store.set(key, A);
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
