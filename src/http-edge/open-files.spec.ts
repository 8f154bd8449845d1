import { expect, test } from '@jest/globals';
import { openFilesNeeded } from './open-files.js';

test('CFG-70: each connection and each listener is an open file, and there are some others', () => {
  const all = { clients: 8_192, inside: 256, upstream: 1_024, listeners: 256 };
  expect(openFilesNeeded(all)).toBe(9_792);
  for (const name of Object.keys(all) as (keyof typeof all)[]) {
    expect(openFilesNeeded({ ...all, [name]: all[name] + 1 })).toBe(9_793);
  }
});
