import { expect, test } from '@jest/globals';
import { uuids } from './uuids.js';

test('HDR-11: made-up ids are UUIDs of version 4, no two alike, and all other bits random', () => {
  const next = uuids();
  const ids = Array.from({ length: 2_000 }, () => next());
  expect(
    ids.filter((id) => !/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id)),
  ).toEqual([]);
  expect(new Set(ids).size).toBe(2_000);
  const digits = ids.map((id) => id.replaceAll('-', ''));
  for (let place = 0; place < 32; place += 1) {
    const seen = new Set(digits.map((id) => id[place]));
    expect([place, seen.size]).toEqual([place, place === 12 ? 1 : place === 16 ? 4 : 16]);
  }
});
