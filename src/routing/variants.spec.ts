import { expect, test } from '@jest/globals';
import { AliasPolicy } from '../config/alias-policy.js';
import { variantOf, withVariants } from './variants.js';

test.each([
  ['auto:latency', { alias: 'auto', words: ['latency'] }],
  ['auto:price:tee', { alias: 'auto', words: ['price', 'tee'] }],
  ['auto:x:tee', { alias: 'auto:x', words: ['tee'] }],
  ['auto:', { alias: 'auto', words: [''] }],
  ['auto', undefined],
  ['autos:tee', undefined],
  [':tee', undefined],
])('POL-4: %s is %j', (value, expected) => {
  expect(variantOf(value, ['auto', 'auto:x', 'other'])).toEqual(expected);
});

test.each<[string[], object | undefined]>([
  [['latency'], { sort: 'latency' }],
  [['capacity'], { sort: 'capacity' }],
  [['tee', 'price'], { sort: 'price', tee: true }],
  [['tee'], { tee: true }],
  [['spread'], { spread: true }],
  [['spread', 'capacity', 'tee'], { spread: true, tee: true }],
  [['tee', 'tee'], undefined],
  [['latency', 'price'], undefined],
  [['listed'], undefined],
  [['Latency'], undefined],
  [[''], undefined],
  [['nitro'], undefined],
])('POL-4: %j changes %j', (words, changes) => {
  expect(withVariants(new AliasPolicy(), words)).toEqual(
    changes && Object.assign(new AliasPolicy(), changes),
  );
});
