import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { ModelId } from '../catalog/model-list.js';
import type { ClientKey } from './client-key.js';
import { RedisStore } from './redis.store.js';

const KEY = 'key' as ClientKey;
const A = { model: 'a' as ModelId };

// A rejection that nobody takes fails the test, and would end the router.
test('STK-25: without Redis nothing comes of setting and dropping a pin, not even an error', async () => {
  const options = { url: 'redis://127.0.0.1:1', timeoutMs: 1_000, ttlMs: 1_000 };
  const store = new RedisStore(options, pino({ level: 'silent' }));
  store.set(KEY, A);
  store.drop(KEY, A.model);
  await expect(store.get(KEY)).rejects.toThrow('no connection');
});
