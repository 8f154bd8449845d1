import { describe, expect, test } from '@jest/globals';
import { apiErrorOf } from '../../test/support/api-error-of.js';
import { decide, routingSettings, snapshotOf } from '../../test/support/routing-stage.js';
import { catalogIdOf } from './model-name.js';

const ALIAS = 'auto';
const strict = routingSettings(`${ALIAS},auto2`);
const lenient = { ...strict, isStrict: false };

/** A catalog of `a` to `d`, of which `c` and `a` are eligible. */
const snapshot = snapshotOf(['a', 'b', 'c', 'd'], ['c', 'a']);

describe('which models, in which order', () => {
  test.each([
    ['SEL-6', 'an alias is the ranked models', ALIAS, ['c', 'a']],
    ['SEL-10', 'a list is its items in the client’s order', 'd,a,b', ['d', 'a', 'b']],
    ['SEL-11', 'an alias in a list is the ranked models at its place', `d,${ALIAS},b`, ['d', 'c', 'a', 'b']],
    ['SEL-11', 'alone in a list, too', `${ALIAS},`, ['c', 'a']],
    ['SEL-12', 'before the alias a model keeps its place', `a,${ALIAS}`, ['a', 'c']],
    ['SEL-12', 'behind the alias a model has no second place', `${ALIAS},d,a`, ['c', 'a', 'd']],
    ['SEL-12', 'two aliases are the ranked models once', `${ALIAS},auto2,b`, ['c', 'a', 'b']],
    ['SEL-13', 'a direct model is that model, eligible or not', 'b', ['b']],
  ])('%s: %s', (_clause, _, value, candidates) => {
    expect(candidatesOf(value)).toEqual(candidates);
  });

  test('SEL-6: an alias gets the ranked list itself, not a copy', () => {
    expect(decide(ALIAS, snapshot, strict).candidates).toBe(decide(ALIAS, snapshot, strict).candidates);
  });

  test('SEL-20: models with and without a trusted execution environment stand side by side', () => {
    const mixed = snapshotOf(['x-TEE', 'y'], ['y', 'x-TEE']);
    expect(candidatesOf(ALIAS, mixed)).toEqual(['y', 'x-TEE']);
    expect(candidatesOf('x-TEE,y', mixed)).toEqual(['x-TEE', 'y']);
  });

  test.each([ALIAS, `${ALIAS},auto2`])('SEL-19: without an eligible model %s is no_candidates', (value) => {
    const error = apiErrorOf(() => candidatesOf(value, snapshotOf(['a'], [])));
    expect(error).toMatchObject({ code: 'no_candidates', status: 503, param: null });
  });

  test('SEL-19: a list with another item still has a candidate', () => {
    expect(candidatesOf(`${ALIAS},a`, snapshotOf(['a'], []))).toEqual(['a']);
  });
});

describe('the strict check', () => {
  test.each(['nobody', 'a,nobody', `nobody,${ALIAS}`, 'A', 'a ', 'a:'.repeat(3)])(
    'SEL-14: what the catalog lacks is refused: %j',
    (value) => {
      const error = apiErrorOf(() => candidatesOf(value));
      expect(error).toMatchObject({ code: 'unknown_model', status: 400, param: 'model' });
    },
  );

  test.each([
    ['a:latency', ['a:latency']],
    ['a:latency,b:throughput', ['a:latency', 'b:throughput']],
  ])('SEL-15: %j passes less its suffix and goes on as it stands', (value, candidates) => {
    expect(candidatesOf(value)).toEqual(candidates);
  });

  test.each([
    ['a', 'a'],
    ['a:latency', 'a'],
    ['a:b:c', undefined],
    ['moved', 'moved-TEE'],
    ['moved:latency', 'moved-TEE'],
    ['moved-TEE', 'moved-TEE'],
    ['moved:a:b', undefined],
    ['x:y', 'x:y'],
    ['x:y:z', 'x:y'],
    ['x', undefined],
    [':a', undefined],
  ])('SEL-15: the catalog knows %j as %j', (model, id) => {
    expect(catalogIdOf(model, snapshotOf(['a', 'x:y', 'moved-TEE'], []).catalog)).toBe(id);
  });

  test('SEL-16: the message names the unknown items only', () => {
    const { message } = apiErrorOf(() => candidatesOf(`b,nobody,${ALIAS},nothing`));
    expect(quotedIn(message)).toEqual(['nobody', 'nothing']);
  });

  test('SEL-16: of ten unknown items the message names eight', () => {
    const items = Array.from({ length: 10 }, (_, i) => `unheard-of-${i}`);
    const { message } = apiErrorOf(() => candidatesOf(items.join(','), snapshot, strict, 10));
    expect(quotedIn(message)).toEqual(items.slice(0, 8));
  });

  test('SEL-17: the message suggests the close id to the item that it is close to', () => {
    const { message } = apiErrorOf(() =>
      candidatesOf('nothing-alike,openai/gpt-oss-2Ob', snapshotOf(['openai/gpt-oss-20b', 'Qwen/Qwen3'], [])),
    );
    expect(quotedIn(message)).toEqual(['nothing-alike', 'openai/gpt-oss-2Ob', 'openai/gpt-oss-20b']);
  });

  test.each([
    ['alone', 'chutesai/autopilot', 'chutesai/AutoPilot'],
    ['in a list', 'a,chutesai/AutoPilo', 'chutesai/AutoPilot'],
  ])('SEL-17: the message suggests an alias, too: %s', (_, value, alias) => {
    const settings = routingSettings('other,chutesai/AutoPilot');
    const { message } = apiErrorOf(() => candidatesOf(value, snapshot, settings));
    expect(message).toContain(`(did you mean "${alias}"?)`);
    expect(message).not.toContain('GET /v1/models');
  });

  test('SEL-22: where nothing is close the message names the aliases, and where the names are', () => {
    const { message } = apiErrorOf(() => candidatesOf('gpt-4o'));
    expect(message).toBe(
      'Not in the model catalog: "gpt-4o". To have a model chosen: "auto", "auto2". GET /v1/models lists every name.',
    );
  });

  test('SEL-22: one item without a suggestion is enough for that', () => {
    const { message } = apiErrorOf(() => candidatesOf('gpt-4o,auto22'));
    expect(message).toContain('(did you mean "auto2"?)');
    expect(message).toContain('"gpt-4o"');
    expect(message).toContain('GET /v1/models');
  });

  test('SEL-22: without an alias the list of names is left', () => {
    const { message } = apiErrorOf(() => candidatesOf('gpt-4o', snapshot, routingSettings('')));
    expect(message).toBe('Not in the model catalog: "gpt-4o". GET /v1/models lists every name.');
  });

  test('SEL-22: the message stays within a few kilobytes, whatever is asked for', () => {
    const aliases = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(256, 'y'));
    const items = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(256, 'x'));
    const { message } = apiErrorOf(() =>
      candidatesOf(items.join(','), snapshot, routingSettings(aliases.join(',')), 100),
    );
    expect(message.length).toBeLessThan(4_096);
  });

  test('SEL-18: with lenient validation any model may be asked for', () => {
    expect(candidatesOf('nobody', snapshot, lenient)).toEqual(['nobody']);
    expect(candidatesOf('nobody,a', snapshot, lenient)).toEqual(['nobody', 'a']);
  });

  test('SEL-18: while the catalog is empty, too', () => {
    const empty = snapshotOf([], []);
    expect(candidatesOf('nobody', empty)).toEqual(['nobody']);
    expect(candidatesOf('nobody,nothing', empty)).toEqual(['nobody', 'nothing']);
  });
});

function candidatesOf(
  value: string,
  from = snapshot,
  settings = strict,
  maxListItems = 8,
): readonly string[] {
  return decide(value, from, { ...settings, maxListItems }).candidates.map(({ model }) => model);
}

function quotedIn(message: string): string[] {
  const [sentence = ''] = message.split('. ');
  return [...sentence.matchAll(/"([^"]+)"/g)].map(([, quoted = '']) => quoted);
}
