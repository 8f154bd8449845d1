import { expect, test } from '@jest/globals';
import { NO_ADVICE } from '../../test/support/advice.js';
import { readAbilities } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import { snapshotOf } from '../../test/support/routing-stage.js';
import type { Candidate } from './candidate.js';
import { candidateOrder } from './candidate-order.js';
import { largerContext } from './larger-context.js';

const { catalog } = snapshotOf(
  [
    { id: 'a/8k', max_model_len: 8_192 },
    { id: 'b/unknown' },
    { id: 'c/32k', context_length: 32_768, max_model_len: 40_960 },
    { id: 'd/32k-TEE', context_length: 32_768 },
    { id: 'e/128k', context_length: 131_072 },
  ].map((entry) => entry as { id: string }),
  [],
);

const listed = (models: string): Candidate[] =>
  models.split(' ').map((model) => ({ model: model as ModelId, why: 'listed' }));

test.each<[string, string, number, string | undefined]>([
  ['the next one, where it is larger', 'a/8k c/32k e/128k', 0, 'c/32k'],
  ['past one of the same length', 'c/32k d/32k-TEE e/128k', 0, 'e/128k'],
  ['past smaller ones', 'c/32k a/8k e/128k', 0, 'e/128k'],
  ['past those of unknown length', 'a/8k b/unknown c/32k', 0, 'c/32k'],
  ['past those that the catalog does not have', 'a/8k x/y c/32k', 0, 'c/32k'],
  ['not back to one before', 'e/128k c/32k a/8k', 1, undefined],
  ['nowhere, where there is no larger one', 'e/128k c/32k a/8k', 0, undefined],
  ['nowhere from one of unknown length', 'b/unknown e/128k', 0, undefined],
  ['nowhere from one that the catalog does not have', 'x/y e/128k', 0, undefined],
  ['nowhere from the last one', 'a/8k', 0, undefined],
  ['by its other spellings', 'a/8k:latency d/32k e/128k:throughput', 0, 'd/32k'],
  ['on from one that has a suffix', 'd/32k:latency c/32k e/128k:throughput', 0, 'e/128k:throughput'],
])('ATT-69: a request that is too long goes %s', (_, models, n, expected) => {
  const candidates = listed(models);
  const next = largerContext(candidateOrder(candidates, NO_ADVICE), n, catalog);
  expect(next === undefined ? undefined : candidates[next]?.model).toBe(expected);
});

test('ATT-69: from a pinned model it goes on in the order in which candidates are tried', () => {
  const order = candidateOrder(listed('e/128k a/8k c/32k'), { ...NO_ADVICE, pinned: 'c/32k' as ModelId });
  expect([largerContext(order, 0, catalog), largerContext(order, 1, catalog)]).toEqual([1, undefined]);
});

test('ATT-69: by what a model was ranked with', () => {
  const abilities = readAbilities({ context_length: 1_000_000 });
  const id = 'a/8k' as ModelId;
  const ranked: Candidate = { model: id, why: 'ranked', ranked: { id, abilities, capacity: undefined } };
  const order = candidateOrder([...listed('e/128k'), ranked], NO_ADVICE);
  expect(largerContext(order, 0, catalog)).toBe(1);
});
