import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Abilities, readAbilities } from '../catalog/abilities.js';
import { aliasEntry } from './alias-entry.js';

const HEAD = { id: 'auto', object: 'model', created: 0, owned_by: 'chutes-autopilot' };

function entryOf(...models: readonly Readonly<Record<string, unknown>>[]): object {
  return aliasEntry('auto', models.map(readAbilities));
}

test.each<[what: string, models: readonly Readonly<Record<string, unknown>>[], fields: object]>([
  ['nobody', [], {}],
  ['a model that says nothing', [{ id: 'a' }], {}],
  [
    'a model that says all',
    [
      {
        context_length: 262_144,
        max_model_len: 131_072,
        max_output_length: 65_536,
        input_modalities: ['text', 'image'],
        supported_features: ['tools', 'json_mode'],
      },
    ],
    {
      context_length: 131_072,
      max_output_length: 65_536,
      input_modalities: ['image', 'text'],
      supported_features: ['json_mode', 'tools'],
    },
  ],
  [
    'models of which each can something else',
    [
      { context_length: 8_192, input_modalities: ['text'], supported_features: ['tools'] },
      { context_length: 4_096, max_output_length: 4_096, supported_features: ['structured_output'] },
      { max_model_len: 16_384, max_output_length: 2_048, input_modalities: ['text', 'video'] },
    ],
    {
      context_length: 16_384,
      max_output_length: 4_096,
      input_modalities: ['text', 'video'],
      supported_features: ['json_mode', 'structured_outputs', 'tools'],
    },
  ],
  [
    'a model whose lists are empty',
    [{ input_modalities: [], supported_features: [] }],
    { input_modalities: [], supported_features: [] },
  ],
  [
    'fields of other types',
    [
      {
        context_length: '131072',
        max_output_length: -1,
        input_modalities: 'text',
        supported_features: { a: 1 },
      },
    ],
    {},
  ],
])('POL-17: of %s an alias tells %j', (_, models, fields) => {
  expect(entryOf(...models)).toEqual({ ...HEAD, ...fields });
});

const names = (...all: string[]) =>
  fc.option(
    fc.subarray(all).map((some) => new Set(some)),
    { nil: undefined },
  );
const count = fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined });
const abilities: fc.Arbitrary<Abilities> = fc.record({
  features: names('tools', 'json_mode', 'reasoning', 'structured_outputs'),
  inputModalities: names('text', 'image', 'video'),
  contextTokens: count,
  maxOutputTokens: count,
  isConfidential: fc.constant(undefined),
  price: fc.constant(undefined),
});

test('POL-17: whatever one of a pool can, its alias can, and no more; the order of the pool changes nothing', () => {
  fc.assert(
    fc.property(fc.array(abilities, { maxLength: 6 }), (pool) => {
      const entry = aliasEntry('auto', pool);
      expect(JSON.stringify(aliasEntry('auto', pool.toReversed()))).toBe(JSON.stringify(entry));
      const features = entry['supported_features'] as readonly string[] | undefined;
      expect(features !== undefined).toBe(pool.some((one) => one.features !== undefined));
      for (const feature of ['tools', 'json_mode', 'reasoning', 'structured_outputs']) {
        expect(features?.includes(feature) ?? false).toBe(pool.some((one) => one.features?.has(feature)));
      }
      const length = entry['context_length'] as number | undefined;
      for (const { contextTokens } of pool) expect(contextTokens ?? 0).toBeLessThanOrEqual(length ?? 0);
      expect(length === undefined || pool.some((one) => one.contextTokens === length)).toBe(true);
    }),
  );
});
