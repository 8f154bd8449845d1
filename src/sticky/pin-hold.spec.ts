import { expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import type { ClientKey } from './client-key.js';
import { PinHold } from './pin-hold.js';

const KEY = 'key' as ClientKey;
const [A, B] = ['a', 'b'] as ModelId[] as [ModelId, ModelId];
const ofA = { model: A, isSecondChoice: false };

test.each<[string, boolean, (hold: PinHold) => void, string[]]>([
  ['the pinned model failed', true, (hold) => hold.onFailed(A), ['drop a']],
  ['the pinned model is full', true, (hold) => hold.onFull(A), ['avoid a']],
  ['another model is full', true, (hold) => hold.onFull(B), ['avoid b']],
  ['another model failed', true, (hold) => hold.onFailed(B), []],
  ['a model failed, and there is no pin', false, (hold) => hold.onFailed(A), []],
  ['a 2xx came', true, (hold) => hold.onAnswered(ofA, 200), ['set a']],
  ['a refusal came', true, (hold) => hold.onAnswered(ofA, 429), []],
  [
    'a 2xx came and broke, twice told',
    false,
    (hold) => {
      hold.onAnswered(ofA, 200);
      hold.onFailed(A);
      hold.onFailed(A);
    },
    ['set a', 'drop a'],
  ],
  [
    'a refusal came and broke, without a pin',
    false,
    (hold) => {
      hold.onAnswered(ofA, 429);
      hold.onFailed(A);
    },
    [],
  ],
])('STK-8, CDN-8: %s', (_, isPinned, happen, calls) => {
  const seen: string[] = [];
  const keeper = {
    answered: (_key: ClientKey, _pin: unknown, { model }: { model: ModelId }) => seen.push(`set ${model}`),
    failed: (_key: ClientKey, model: ModelId) => seen.push(`drop ${model}`),
    full: (_key: ClientKey, model: ModelId) => seen.push(`avoid ${model}`),
  };
  happen(new PinHold(keeper, KEY, isPinned ? { model: A } : undefined, []));
  expect(seen).toEqual(calls);
});
