import { describe, expect, test } from '@jest/globals';
import { type Abilities, NEEDS, needsIn, needSet, readAbilities, UNKNOWN_ABILITIES } from './abilities.js';

describe('what the catalog says of a model', () => {
  test('SEL-23: an entry that says all', () => {
    const abilities = readAbilities({
      id: 'a/b',
      supported_features: ['json_mode', 'tools', 'reasoning'],
      input_modalities: ['text', 'image'],
      context_length: 40_960,
      max_model_len: 40_960,
      max_output_length: 8_192,
      confidential_compute: true,
      pricing: { prompt: 0.1, completion: 0.4, input_cache_read: 0.05 },
    });
    expect(abilities).toEqual({
      features: new Set(['json_mode', 'tools', 'reasoning']),
      inputModalities: new Set(['text', 'image']),
      contextTokens: 40_960,
      maxOutputTokens: 8_192,
      isConfidential: true,
      price: { prompt: 0.1, completion: 0.4 },
    });
  });

  test('SEL-23: of an entry that says nothing nothing is known', () => {
    expect(readAbilities({ id: 'a/b' })).toEqual(UNKNOWN_ABILITIES);
  });

  test.each<[string, object, Partial<Abilities>]>([
    [
      'structured_output, as some entries have it',
      { supported_features: ['structured_output'] },
      { features: new Set(['structured_outputs', 'json_mode']) },
    ],
    [
      'schemas include JSON',
      { supported_features: ['structured_outputs'] },
      { features: new Set(['structured_outputs', 'json_mode']) },
    ],
    [
      'an empty list is a list',
      { supported_features: [], input_modalities: [] },
      { features: new Set(), inputModalities: new Set() },
    ],
    ['no list', { supported_features: 'tools', input_modalities: null }, {}],
    ['a list of other things', { supported_features: ['tools', 1] }, {}],
    [
      'names that objects have by themselves',
      { supported_features: ['constructor'] },
      { features: new Set(['constructor']) },
    ],
    [
      'the smaller length counts',
      { context_length: 96_000, max_model_len: 131_072 },
      { contextTokens: 96_000 },
    ],
    ['whichever it is', { context_length: 131_072, max_model_len: 96_000 }, { contextTokens: 96_000 }],
    ['one length alone', { max_model_len: 4_096 }, { contextTokens: 4_096 }],
    ['lengths that are none', { context_length: '4096', max_model_len: 0 }, {}],
    [
      'of two lengths the one that is one',
      { context_length: -1, max_model_len: 4_096 },
      { contextTokens: 4_096 },
    ],
    ['lengths beyond counting', { context_length: 1e300, max_output_length: 1.5 }, {}],
    ['a word for a truth', { confidential_compute: 'true' }, {}],
    ['not confidential', { confidential_compute: false }, { isConfidential: false }],
    ['free', { pricing: { prompt: 0, completion: 0 } }, { price: { prompt: 0, completion: 0 } }],
    ['half a price', { pricing: { prompt: 1 } }, {}],
    ['a price in words', { pricing: { prompt: '1', completion: 1 } }, {}],
    ['a price below nothing', { pricing: { prompt: -1, completion: 1 } }, {}],
    ['no price', { pricing: null }, {}],
  ])('SEL-23: %s', (_, entry, known) => {
    expect(readAbilities({ id: 'a/b', ...entry })).toEqual({ ...UNKNOWN_ABILITIES, ...known });
  });
});

test('REQ-16: a set of needs has the names that it was made of', () => {
  expect(needsIn(needSet())).toEqual([]);
  expect(needsIn(needSet('tee', 'tools', 'image'))).toEqual(['tools', 'image', 'tee']);
  expect(needsIn(needSet(...NEEDS))).toEqual([...NEEDS]);
});
