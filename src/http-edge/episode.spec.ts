import { expect, test } from '@jest/globals';
import { Episode } from './episode.js';

test('OBS-36: the first time is the beginning, the further ones are not', () => {
  const episode = new Episode();
  expect([1, 2, 9_000].map((ms) => episode.happened(ms))).toEqual([true, false, false]);
});

test('OBS-36: it is over once nothing has happened for ten seconds, which is told once and with how much it was', () => {
  const episode = new Episode();
  expect(episode.endedBy(50_000)).toBeUndefined();
  episode.happened(1_000);
  episode.happened(8_000);
  expect(episode.endedBy(17_999)).toBeUndefined();
  expect(episode.endedBy(18_000)).toBe(2);
  expect(episode.endedBy(30_000)).toBeUndefined();
});

test('OBS-36: the next time begins anew, and counts from there', () => {
  const episode = new Episode();
  episode.happened(0);
  episode.endedBy(10_000);
  expect(episode.happened(11_000)).toBe(true);
  expect(episode.endedBy(21_000)).toBe(1);
});
