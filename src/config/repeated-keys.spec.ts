import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { repeatedKeys } from './repeated-keys.js';

test.each<[string, string[]]>([
  ['{}', []],
  ['{"a":{"b":1},"c":{"b":1},"b":["b","b",{"b":2}]}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"a":1, "\\u0061" : 2}', ['a']],
  ['{"a":{"x":1,"x":[],"x":{}}}', ['x', 'x']],
  ['{"a":"a\\":{\\"a\\":","b":"\\\\"}', []],
  ['{"a":[{"b":"]"}],"a":1}', ['a']],
])('POL-22: what stands twice in %s is %j', (json, expected) => {
  expect(repeatedKeys(json)).toEqual(expected);
});

test('POL-22: nothing stands twice in what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(repeatedKeys(JSON.stringify(JSON.parse(json)))).toEqual([]);
    }),
  );
});
