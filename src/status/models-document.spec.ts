import { expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { EMPTY_MODEL_LIST } from '../catalog/model-list.js';
import { readUtilization } from '../catalog/utilization-feed.js';
import { snapshotOf } from '../../test/support/routing-stage.js';
import { bestRows, modelDocuments, type ModelsFacts } from './models-document.js';

const { eligible, catalog } = snapshotOf(['a', 'b', 'c', 'd'], ['c', 'a', 'b']);
const candidate = (model: string) => ({ model: model as ModelId, why: 'ranked' as const });
const FACTS: ModelsFacts = {
  candidates: ['c', 'a', 'b'].map(candidate),
  excluded: [{ model: 'd', why: 'no_instance' }],
  eligible,
  catalog,
  rows: [],
  historyOf: () => ({ utilization: [], ttft_s: [] }),
  measuredTtftS: (id) => (id === 'a' ? 0.5 : undefined),
  cooldownOf: () => undefined,
  nowMs: 1_000,
};

const cooldownOf = (id: string) =>
  id === 'a' || id === 'c' ? { untilMs: 3_500.4, cooldowns: 2 } : undefined;
const row = (free: number) => ({ name: 'a', active_instance_count: 1, utilization_5m: 1 - free });

const told = (facts: Partial<ModelsFacts>) =>
  (modelDocuments({ ...FACTS, ...facts }) as Readonly<Record<string, unknown>>[]).map(({ id, place, why }) =>
    [id, place, why].join(' '),
  );

test('STA-5: those that can be chosen come first, in their order, then the others, with why', () => {
  expect(told({})).toEqual(['c 1 ranked', 'a 2 ranked', 'b 3 ranked', 'd  no_instance']);
  expect(told({ candidates: [], excluded: [] })).toEqual(['a  ', 'b  ', 'c  ', 'd  ']);
});

test('STA-5: before there is a catalog, those that run are all there are', () => {
  expect(told({ catalog: EMPTY_MODEL_LIST, excluded: [] })).toEqual([
    'c 1 ranked',
    'a 2 ranked',
    'b 3 ranked',
  ]);
});

test('STA-5: those that cool come last of these, with how long and how often', () => {
  expect(told({ cooldownOf })).toEqual(['b 1 ranked', 'c 2 cooling', 'a 3 cooling', 'd  no_instance']);
  const documents = modelDocuments({ ...FACTS, cooldownOf });
  expect(documents[0]).toMatchObject({ cooldown: null, measured: { ttft_s: null } });
  expect(documents[2]).toMatchObject({
    cooldown: { remaining_ms: 2_500, cooldowns: 2 },
    measured: { ttft_s: 0.5 },
  });
});

test('STA-5: of rows with one name the better one counts', () => {
  const { rows } = readUtilization([row(0.2), row(0.9), row(0.5)]) ?? { rows: [] };
  expect(bestRows(rows).get('a')?.utilization_5m).toBeCloseTo(0.1);
});
