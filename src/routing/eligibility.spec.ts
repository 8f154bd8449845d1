import { describe, expect, test } from '@jest/globals';
import { type Abilities, type Need, needSet, UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import { fitOf } from './eligibility.js';

const ABLE: Abilities = {
  ...UNKNOWN_ABILITIES,
  features: new Set(['tools', 'json_mode', 'structured_outputs']),
  inputModalities: new Set(['text', 'image', 'video', 'audio', 'file']),
  contextTokens: 1_000_000,
  isConfidential: true,
};

describe('features and modalities', () => {
  const NAMES: Exclude<Need, 'tee'>[] = [
    'tools',
    'json_mode',
    'structured_outputs',
    'image',
    'video',
    'audio',
    'file',
  ];

  test.each(NAMES)(
    'SEL-24: %s is met where it is listed, unmet where it is not, unknown without a list',
    (need) => {
      const request = { needs: needSet(need), promptBytes: 0, answerTokens: 0 };
      const none = { ...ABLE, features: new Set<string>(), inputModalities: new Set(['text']) };
      expect(fitOf(request, ABLE)).toEqual({ kind: 'met' });
      expect(fitOf(request, none)).toEqual({ kind: 'unmet', why: `lacks_${need}` });
      expect(fitOf(request, UNKNOWN_ABILITIES)).toEqual({ kind: 'unknown', why: `unknown_${need}` });
    },
  );

  test('SEL-24: features that a policy asks for are asked for in the same way', () => {
    const request = { needs: 0, promptBytes: 0, answerTokens: 0 };
    expect(fitOf(request, ABLE, ['tools'])).toEqual({ kind: 'met' });
    expect(fitOf(request, ABLE, ['tools', 'reasoning'])).toEqual({ kind: 'unmet', why: 'lacks_reasoning' });
    expect(fitOf(request, UNKNOWN_ABILITIES, ['reasoning'])).toEqual({
      kind: 'unknown',
      why: 'unknown_reasoning',
    });
  });
});

describe('context', () => {
  test.each([
    ['nothing', 0, 0, undefined, 'met'],
    ['4096 tokens at the most fit anywhere', 3 * 4_096, 0, undefined, 'met'],
    ['a byte more does not surely', 3 * 4_096 + 1, 0, undefined, 'unknown'],
    ['answer tokens count', 0, 4_097, undefined, 'unknown'],
    ['all of it fits at the most', 3_000, 0, 1_000, 'met'],
    ['a token more may fit', 3_001, 0, 1_000, 'unknown'],
    ['at the least it fits just so', 10_009, 0, 1_000, 'unknown'],
    ['at the least it is too long', 10_010, 0, 1_000, 'unmet'],
    ['the answer alone fits just so', 0, 1_000, 1_000, 'met'],
    ['the answer alone is too long', 0, 1_001, 1_000, 'unmet'],
    ['both together', 1_500, 500, 1_000, 'met'],
    ['both together are too long at the least', 1_500, 900, 1_000, 'unmet'],
  ] as const)(
    'SEL-25: %s: %d bytes and %d tokens in %d',
    (_, promptBytes, answerTokens, contextTokens, kind) => {
      const fit = fitOf({ needs: 0, promptBytes, answerTokens }, { ...UNKNOWN_ABILITIES, contextTokens });
      const why = { met: {}, unknown: { why: 'unknown_context' }, unmet: { why: 'context_too_small' } }[kind];
      expect(fit).toEqual({ kind, ...why });
    },
  );
});

describe('tee', () => {
  test.each([
    [true, { kind: 'met' }],
    [false, { kind: 'unmet', why: 'not_confidential' }],
    [undefined, { kind: 'unmet', why: 'not_confidential' }],
  ])('SEL-26: with confidential compute %s', (isConfidential, fit) => {
    expect(
      fitOf({ needs: needSet('tee'), promptBytes: 0, answerTokens: 0 }, { ...ABLE, isConfidential }),
    ).toEqual(fit);
  });
});

test.each<[Need[], Partial<Abilities>, string]>([
  [
    ['tools', 'image', 'tee'],
    { features: new Set(), inputModalities: new Set(), isConfidential: false },
    'lacks_tools',
  ],
  [['tools', 'image'], { features: undefined, inputModalities: new Set() }, 'lacks_image'],
  [['tools', 'image'], { features: undefined, inputModalities: undefined }, 'unknown_tools'],
  [['tools', 'tee'], { features: undefined, isConfidential: false }, 'not_confidential'],
  [['image', 'tee'], { contextTokens: 10, isConfidential: false }, 'context_too_small'],
])(
  'SEL-27: of %j with %j the reason is the first that holds, unmet before unknown: %s',
  (needs, abilities, why) => {
    const request = { needs: needSet(...needs), promptBytes: 0, answerTokens: 11 };
    expect(fitOf(request, { ...ABLE, ...abilities })).toMatchObject({ why });
  },
);
