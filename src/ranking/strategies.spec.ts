import { describe, expect, test } from '@jest/globals';
import { AliasPolicy } from '../config/alias-policy.js';
import { UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import type { RankedModel } from './ranked-model.js';
import { STRATEGIES, strategyOf } from './strategies.js';

/** In the order of free capacity: `a` has the most, `e` none. */
const MODELS: readonly RankedModel[] = [
  model('a', 9, { ttftS: 3, tps: 20, place: 1 }),
  model('b', 5, { ttftS: 1, tps: 90, price: 2, place: 1 }),
  model('c', 4, { ttftS: 1, price: 0.5, place: 0 }),
  model('d', 0.001, { tps: 50, price: 0.5, place: 1 }),
  model('e', 0, { ttftS: 0.1, tps: 500, price: 0, place: 0 }),
];

describe('sorts', () => {
  test.each([
    ['capacity', 'abcde'],
    ['latency', 'bcade'], // b and c are as fast, b has more room; e is full
    ['throughput', 'bdace'],
    ['price', 'cdbae'],
    ['listed', 'ceabd'],
  ] as const)('POL-5: %s gives %s', (sort, expected) => {
    expect(order(STRATEGIES[sort])).toBe(expected);
  });

  test('POL-5: without any utilization nobody is taken for full', () => {
    const models = MODELS.map((its) => ({ ...its, capacity: undefined }));
    expect(order(STRATEGIES.latency, models)).toBe('ebcad');
  });
});

describe('wishes', () => {
  test.each<[Partial<AliasPolicy>, string]>([
    [{}, 'abcde'],
    [{ max_ttft_s: 1 }, 'bceda'],
    [{ min_tps: 50 }, 'bdeca'],
    [{ max_ttft_s: 1, min_tps: 50 }, 'becda'],
    [{ sort: 'price', max_ttft_s: 1 }, 'cbeda'],
    [{ sort: 'price', max_ttft_s: 0.01 }, 'dcbae'],
  ])('POL-6: %j gives %s', (wishes, expected) => {
    expect(order(strategyOf(Object.assign(new AliasPolicy(), wishes)))).toBe(expected);
  });
});

function order(strategy: (a: RankedModel, b: RankedModel) => number, models = MODELS): string {
  return models
    .toSorted(strategy)
    .map(({ id }) => id)
    .join('');
}

function model(id: string, score: number, figures: Omit<Partial<RankedModel>, 'abilities'>): RankedModel {
  const capacity = { name: id, score, activeInstances: 1, utilization: 0, rateLimitRatio: 0 };
  return { id: id as ModelId, capacity, abilities: UNKNOWN_ABILITIES, ...figures };
}
