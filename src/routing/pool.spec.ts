import { describe, expect, test } from '@jest/globals';
import { decide, NO_NEEDS, routingSettings, snapshotOf } from '../../test/support/routing-stage.js';
import { apiErrorOf } from '../../test/support/api-error-of.js';
import { type Need, needSet, type RequestNeeds } from '../catalog/abilities.js';

/** `c` has the most room, `e` no instance. */
const snapshot = snapshotOf(
  [
    entry('a', ['tools', 'json_mode'], ['text'], 8_192, 0.1),
    entry('b', ['tools', 'json_mode', 'structured_outputs'], ['text', 'image'], 131_072, 1),
    entry('c', ['json_mode'], ['text', 'image', 'video'], 32_768, 0.5),
    { id: 'd' },
    entry('e', ['tools'], ['text'], 8_192, 0.1),
    { ...entry('f-TEE', ['tools'], ['text'], 8_192, 3), confidential_compute: true },
  ],
  ['c', 'a', 'd', 'b', 'f-TEE'],
);

describe('an alias, by what a request needs', () => {
  test.each<[string, Need[], number, string[]]>([
    ['nothing', [], 0, ['c', 'a', 'd', 'b', 'f-TEE']],
    ['tools', ['tools'], 0, ['a', 'b', 'f-TEE', 'd unknown_tools']],
    ['a picture', ['image'], 0, ['c', 'b', 'd unknown_image']],
    ['a picture and tools', ['image', 'tools'], 0, ['b', 'd unknown_tools']],
    ['a schema', ['structured_outputs'], 0, ['b', 'd unknown_structured_outputs']],
    ['JSON', ['json_mode'], 0, ['c', 'a', 'b', 'd unknown_json_mode']],
    ['confidence', ['tee'], 0, ['f-TEE']],
    ['4 KB', [], 4_000, ['c', 'a', 'd', 'b', 'f-TEE']],
    ['20 KB', [], 20_000, ['c', 'a', 'b', 'f-TEE', 'd unknown_context'].filter((name) => name !== '')],
    ['30 KB', [], 30_000, ['c', 'b', 'a unknown_context', 'd unknown_context', 'f-TEE unknown_context']],
    ['100 KB', [], 100_000, ['b', 'c unknown_context', 'd unknown_context']],
    ['900 KB', [], 900_000, ['b unknown_context', 'd unknown_context'].toSorted().toReversed()],
  ])('SEL-28: %s', (_, needs, promptBytes, expected) => {
    expect(chosen('auto', { needs: needSet(...needs), promptBytes, answerTokens: 0 })).toEqual(expected);
  });

  test('SEL-28: requests of one kind share one list, and so do all that nothing is in the way of', () => {
    const settings = routingSettings('auto');
    const of = (request: RequestNeeds) => decide('auto', snapshot, settings, request).candidates;
    const tools = { needs: needSet('tools'), promptBytes: 0, answerTokens: 0 };
    expect(of(NO_NEEDS)).toBe(of({ ...NO_NEEDS, promptBytes: 9_000 }));
    expect(of(tools)).toBe(of({ ...tools, promptBytes: 100 }));
    expect(of(tools)).not.toBe(of(NO_NEEDS));
  });

  test('SEL-29: when no model can, the error says what is needed, and how many lack it', () => {
    const request = { needs: needSet('audio', 'tools'), promptBytes: 0, answerTokens: 200_000 };
    const everyone = snapshotOf(
      [entry('a', ['tools'], ['text'], 8_192, 1), entry('b', [], ['audio'], 9_000, 1)],
      ['a', 'b'],
    );
    const error = apiErrorOf(() => decide('auto', everyone, routingSettings('auto'), request));
    expect(error).toMatchObject({ code: 'no_capable_model', status: 400, param: null });
    expect(error.message).toBe(
      'No model can do all that this request needs: tools (1 of 2 do not have it), audio (1 of 2 do not have it), context (2 of 2 do not have it).',
    );
  });
});

describe('a policy', () => {
  test.each<[string, object, string[]]>([
    ['patterns', { models: ['a', 'c', 'b'], sort: 'listed' }, ['a', 'c', 'b']],
    ['a pattern that takes away', { models: ['*', '!*-TEE'] }, ['c', 'a', 'd', 'b']],
    ['features', { features: ['tools'] }, ['a', 'b', 'f-TEE', 'd unknown_tools']],
    ['either spelling', { features: ['structured_output'] }, ['b', 'd unknown_structured_outputs']],
    ['context', { min_context_tokens: 32_768 }, ['c', 'b']],
    ['price', { max_price: { completion: 0.5 } }, ['c', 'a']],
    ['price, cheapest first', { max_price: { prompt: 1 }, sort: 'price' }, ['a', 'c', 'b']],
    ['tee', { tee: true }, ['f-TEE']],
  ])('POL-7: %s', (_, policy, expected) => {
    expect(chosen('auto', NO_NEEDS, { auto: policy })).toEqual(expected);
  });

  test.each([
    ['patterns', { models: ['x*'] }],
    ['price', { max_price: { prompt: 0.01 } }],
    ['context', { min_context_tokens: 1_000_000 }],
  ])('POL-8: a pool that %s leave empty is no_candidates', (_, policy) => {
    const error = apiErrorOf(() => chosen('auto', NO_NEEDS, { auto: policy }));
    expect(error).toMatchObject({ code: 'no_candidates' });
    expect(error.message).toContain('in the pool of "auto"');
  });

  test('POL-8: one whose features nobody has is no_capable_model', () => {
    const error = apiErrorOf(() =>
      chosen('auto', NO_NEEDS, { auto: { features: ['telepathy'], models: ['*', '!d'] } }),
    );
    expect(error).toMatchObject({ code: 'no_capable_model' });
    expect(error.message).toContain('telepathy (4 of 4 do not have it)');
  });

  test('POL-9: a variant changes the order or the needs, alone and in a list', () => {
    const aliases = { auto: { models: ['a', 'b', 'c', 'f-TEE'] } };
    expect(chosen('auto:price', NO_NEEDS, aliases)).toEqual(['a', 'c', 'b', 'f-TEE']);
    expect(chosen('auto:tee:price', NO_NEEDS, aliases)).toEqual(['f-TEE']);
    expect(chosen('d,auto:price', NO_NEEDS, aliases)).toEqual(['d listed', 'a', 'c', 'b', 'f-TEE']);
  });

  test.each(['auto:', 'auto:fast', 'auto:tee:tee', 'auto:price:latency', 'a,auto:Price'])(
    'POL-9: %s is refused, and the message names the words',
    (value) => {
      for (const isStrict of [true, false]) {
        const error = apiErrorOf(() => decide(value, snapshot, routingSettings('auto', { isStrict })));
        expect(error).toMatchObject({ code: 'unknown_model', param: 'model' });
        expect(error.message).toMatch(/capacity, latency, throughput, price .*, tee and spread/);
      }
    },
  );
});

describe('who is left out', () => {
  test('SEL-21: each model of the catalog by the first reason that holds', () => {
    const policy = { models: ['*', '!b'], max_price: { completion: 1 } };
    const decision = decide('auto', snapshot, routingSettings(JSON.stringify({ auto: policy })), {
      needs: needSet('tools'),
      promptBytes: 0,
      answerTokens: 0,
    });
    expect(decision.excluded().map(({ model, why }) => `${model} ${why}`)).toEqual([
      'b not_in_pool',
      'c lacks_tools',
      'd over_price',
      'e no_instance',
      'f-TEE over_price',
    ]);
  });
});

describe('a list, by what a request needs', () => {
  test.each<[string, Need[], string[], string[]]>([
    ['c,a', ['tools'], ['a listed'], ['c lacks_tools']],
    ['d,a', ['tools'], ['d listed', 'a listed'], []],
    ['c', [], ['c direct'], []],
    ['c,e', ['audio'], ['c listed', 'e listed'], []],
    ['c,f-TEE', ['tee'], ['f-TEE listed'], ['c not_confidential']],
    ['c,f-TEE', ['tee', 'audio'], ['f-TEE listed'], []],
    ['f,c', [], ['f-TEE listed', 'c listed'], []],
    ['f:latency,f-TEE', [], ['f-TEE:latency listed', 'f-TEE listed'], []],
    ['f,f-TEE', [], ['f-TEE listed'], []],
    ['c,auto', ['tools'], ['a', 'b', 'f-TEE', 'd unknown_tools'], ['c lacks_tools']],
  ])('SEL-30: %s with %j', (value, needs, expected, excluded) => {
    const request = { ...NO_NEEDS, needs: needSet(...needs) };
    expect(chosen(value, request)).toEqual(expected);
    const decision = decide(value, snapshot, routingSettings('auto'), request);
    expect(decision.excluded().map(({ model, why }) => `${model} ${why}`)).toEqual(excluded);
  });

  test('SEL-30: where nobody named is confidential and that is needed, none gets it', () => {
    const error = apiErrorOf(() => chosen('a,c', { ...NO_NEEDS, needs: needSet('tee') }));
    expect(error).toMatchObject({ code: 'no_capable_model', status: 400 });
  });
});

describe('REQUIRE_TEE', () => {
  const settings = routingSettings('auto', { requireTee: true });

  test('SEL-31: one model that is not known as confidential is refused', () => {
    for (const value of ['a', 'd', 'nobody']) {
      const lenient = { ...settings, isStrict: false };
      expect(apiErrorOf(() => decide(value, snapshot, lenient))).toMatchObject({ code: 'not_confidential' });
    }
    expect(decide('f-TEE', snapshot, settings).candidates).toHaveLength(1);
    expect(decide('f', snapshot, settings).candidates).toMatchObject([{ model: 'f' }]);
  });

  test.each(['auto', 'a', 'a,f-TEE'])('SEL-31: without a catalog nobody can be: %s', (value) => {
    const error = apiErrorOf(() => decide(value, snapshotOf([], []), settings));
    expect(error).toMatchObject({ code: 'no_candidates' });
  });
});

/** Each with why, where an alias did not choose it as one that can. */
function chosen(value: string, request: RequestNeeds, aliases: object = { auto: {} }): string[] {
  const { candidates } = decide(value, snapshot, routingSettings(JSON.stringify(aliases)), request);
  return candidates.map(({ model, why }) => (why === 'ranked' ? model : `${model} ${why}`));
}

function entry(id: string, features: string[], modalities: string[], context: number, price: number) {
  return {
    id,
    supported_features: features,
    input_modalities: modalities,
    context_length: context,
    confidential_compute: false,
    pricing: { prompt: price, completion: price },
  };
}
