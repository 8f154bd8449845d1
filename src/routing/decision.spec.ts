import { expect, test } from '@jest/globals';
import { loadConfig } from '../config/config.js';
import { type ModelId, readModelList } from '../catalog/model-list.js';
import { candidatesFor } from './candidates.js';
import { Decision } from './decision.js';
import { routeOf } from './route.js';
import { routingSnapshot } from './routing-snapshot.js';

const { routing } = loadConfig({ AUTOPILOT_ALIASES: 'auto' });

/** A catalog of `a` to `d`, of which `c` and `a` have an instance. */
const catalog = readModelList({ data: ['a', 'b', 'c', 'd'].map((id) => ({ id })) })?.list;
const ranked = ['c', 'a'].map((id) => ({ id: id as ModelId, capacity: undefined }));

test.each([
  ['an alias', 'auto', ['c ranked', 'a ranked'], ['b no_instance', 'd no_instance']],
  ['a list', 'd,b', ['d listed', 'b listed'], []],
  ['an alias in a list', 'a,auto', ['a listed', 'c ranked'], []],
  ['one model', 'b', ['b direct'], []],
])('SEL-21: %s tells why each is a candidate, and who is not', (_, value, candidates, excluded) => {
  const decision = decide(value);
  expect(decision.candidates.map(({ model, why }) => `${model} ${why}`)).toEqual(candidates);
  expect(decision.excluded().map(({ model, why }) => `${model} ${why}`)).toEqual(excluded);
});

function decide(value: string): Decision {
  if (!catalog) throw new Error('That is no model list.');
  const snapshot = routingSnapshot(ranked, catalog);
  const route = routeOf(value, routing);
  return new Decision(route, candidatesFor(route, snapshot, routing), snapshot);
}
