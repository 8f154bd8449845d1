import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { givenBy } from './patterns.js';

test.each<[string[], string, number]>([
  [['*'], 'a/b', 0],
  [['a/b'], 'a/b', 0],
  [['a/b'], 'a/B', -1],
  [['a/b'], 'a/bc', -1],
  [['Qwen/*'], 'Qwen/Qwen3', 0],
  [['*-TEE'], 'a/b-TEE', 0],
  [['*-TEE'], 'a/b-TEE2', -1],
  [['a*a'], 'a', -1],
  [['a*a'], 'aa', 0],
  [['*ab*ab*'], 'xabxaby', 0],
  [['*ab*ab*'], 'xaby', -1],
  [['**'], '', 0],
  [['b', 'a*', '*'], 'ab', 1],
  [['*', '!*-VL'], 'a-VL', -1],
  [['*', '!*-VL', 'a-VL'], 'a-VL', 2],
  [['!*-VL', '*'], 'a-VL', 1],
  [['a.c'], 'abc', -1],
  [['a[b]c', 'a\\d'], 'a[b]c', 0],
])('POL-3: of %j %j is given by %i', (patterns, id, place) => {
  expect(givenBy(patterns, id)).toBe(place);
});

test('POL-3: a pattern is what the regular expression is', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, id) => {
      const expression = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      expect(givenBy([glob], id)).toBe(expression.test(id) ? 0 : -1);
    }),
    { numRuns: 2_000 },
  );
});
