import { expect, test } from '@jest/globals';
import { decide, routingSettings, snapshotOf } from '../../test/support/routing-stage.js';

const settings = routingSettings('auto');

/** A catalog of `a` to `d`, of which `c` and `a` have an instance. */
const snapshot = snapshotOf(['a', 'b', 'c', 'd'], ['c', 'a']);

test.each([
  ['an alias', 'auto', ['c ranked', 'a ranked'], ['b no_instance', 'd no_instance']],
  ['a list', 'd,b', ['d listed', 'b listed'], []],
  ['an alias in a list', 'a,auto', ['a listed', 'c ranked'], []],
  ['one model', 'b', ['b direct'], []],
])('SEL-21: %s tells why each is a candidate, and who is not', (_, value, candidates, excluded) => {
  const decision = decide(value, snapshot, settings);
  expect(decision.candidates.map(({ model, why }) => `${model} ${why}`)).toEqual(candidates);
  expect(decision.excluded().map(({ model, why }) => `${model} ${why}`)).toEqual(excluded);
});
