import { expect, test } from '@jest/globals';
import { refusalOf } from './redis-refusal.js';

test.each([
  // A replica, be it that the connection has outlived a failover.
  ['STK-35', 'READONLY', 'lost-role'],
  // A replica that has no primary to copy from, and may not answer without.
  ['STK-35', 'MASTERDOWN', 'lost-role'],
  // A primary that has lost its replicas, perhaps to a new primary.
  ['STK-35', 'NOREPLICAS', 'lost-role'],
  ['STK-37', 'MOVED', 'cluster'],
  ['STK-37', 'ASK', 'cluster'],
  ['STK-37', 'CLUSTERDOWN', 'cluster'],
  ['STK-37', 'CROSSSLOT', 'cluster'],
  ['STK-37', 'TRYAGAIN', 'cluster'],
  ['STK-36', 'LOADING', 'temporary'],
  ['STK-36', 'BUSY', 'temporary'],
  ['STK-36', 'OOM', 'temporary'],
  ['STK-36', 'MISCONF', 'temporary'],
  ['STK-36', 'NOAUTH', 'temporary'],
  ['STK-36', 'NOPERM', 'temporary'],
  ['STK-36', 'WRONGTYPE', 'temporary'],
  ['STK-36', 'ERR', 'temporary'],
])('%s: %s says %s', (_clause, code, refusal) => {
  expect(refusalOf(code)).toBe(refusal);
});
