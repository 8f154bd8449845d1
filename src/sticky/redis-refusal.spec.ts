import { expect, test } from '@jest/globals';
import { refusalOf } from './redis-refusal.js';

test.each([
  // A replica, be it that the connection has outlived a failover.
  ['READONLY', 'lost-role'],
  // A replica that has no primary to copy from, and may not answer without.
  ['MASTERDOWN', 'lost-role'],
  // A primary that has lost its replicas, perhaps to a new primary.
  ['NOREPLICAS', 'lost-role'],
  ['MOVED', 'cluster'],
  ['ASK', 'cluster'],
  ['CLUSTERDOWN', 'cluster'],
  ['CROSSSLOT', 'cluster'],
  ['TRYAGAIN', 'cluster'],
  ['LOADING', 'temporary'],
  ['BUSY', 'temporary'],
  ['OOM', 'temporary'],
  ['MISCONF', 'temporary'],
  ['NOAUTH', 'temporary'],
  ['NOPERM', 'temporary'],
  ['WRONGTYPE', 'temporary'],
  ['ERR', 'temporary'],
])('STK-35, STK-36, STK-37: %s says %s', (code, refusal) => {
  expect(refusalOf(code)).toBe(refusal);
});
