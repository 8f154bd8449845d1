import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { ModelId } from '../catalog/model-list.js';
import type { ClientKey } from './client-key.js';
import { RedisStore } from './redis.store.js';

const KEY = 'key' as ClientKey;
const A = { model: 'a' as ModelId };

test('STK-25, OBS-41: without Redis every operation fails at once', async () => {
  const options = { url: 'redis://127.0.0.1:1', timeoutMs: 1_000, ttlMs: 1_000 };
  const store = new RedisStore(options, pino({ level: 'silent' }));
  await expect(store.set(KEY, A)).rejects.toThrow('no connection');
  await expect(store.drop(KEY, A.model)).rejects.toThrow('no connection');
  await expect(store.get(KEY)).rejects.toThrow('no connection');
});
