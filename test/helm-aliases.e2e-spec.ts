import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { AliasPolicy, SORTS } from '../src/config/alias-policy.js';
import { type Aliases, readAliases } from '../src/config/aliases.js';
import { readmeAliases, valuesWithAliases } from './support/example-aliases.js';
import { CHART, describeHelm, render, renderUnchecked } from './support/helm.js';
import { type Manifest, only } from './support/manifests.js';

const withAliases = (aliases: unknown) => ({ config: { AUTOPILOT_ALIASES: aliases } });

/** What reaches the router. */
function textOf(aliases: unknown, make: typeof render | typeof renderUnchecked = render): string {
  const { data } = only('ConfigMap', make(withAliases(aliases)) as Manifest[]);
  return data?.['AUTOPILOT_ALIASES'] ?? '';
}

/** The aliases by name: Helm puts maps into the order of the alphabet. */
const byName = (aliases: Aliases) => Object.fromEntries(aliases);

describeHelm('the aliases of the chart', () => {
  test('OPS-34, OPS-35: are a map that reaches the router as the same policies', () => {
    const { aliases, problems } = readAliases(textOf(valuesWithAliases().config.AUTOPILOT_ALIASES));
    expect(problems).toEqual([]);
    expect(byName(aliases)).toEqual(byName(readAliases(readmeAliases()).aliases));
  });

  test.each(['a/b,c/d', readmeAliases(), ''])('OPS-34: may be text, too: %j', (text) => {
    expect(textOf(text)).toBe(text);
  });

  test.each<[what: string, aliases: object]>([
    ['an unknown field', { a: { model: ['*'] } }],
    ['a wrong type', { a: { tee: 'yes' } }],
    ['no policy', { a: 'Qwen/*' }],
    ['no pattern', { a: { models: [] } }],
    ['nothing but what is taken away', { a: { models: ['!Qwen/*'] } }],
    ['a pattern that is none', { a: { models: ['*', '!!a'] } }],
    ['an unknown order', { a: { sort: 'cheapest' } }],
    ['half a token', { a: { min_context_tokens: 0.5 } }],
    ['less than nothing', { a: { min_context_tokens: -1 } }],
    ['a wish for nothing', { a: { max_ttft_s: 0 } }],
    ['an empty price', { a: { max_price: {} } }],
    ['a price of something else', { a: { max_price: { total: 1 } } }],
    ['an empty feature', { a: { features: [''] } }],
    ['a comma in a name', { 'a,b': {} }],
    ['a name of 257 bytes', { ['a'.repeat(257)]: {} }],
  ])('OPS-34: with %s they are refused by the chart as by the router', (_, aliases) => {
    expect(readAliases(JSON.stringify(aliases)).problems).not.toEqual([]);
    // Helm names no path, or a wrong one, where a key is wrong.
    expect(() => render(withAliases(aliases))).toThrow(/AUTOPILOT_ALIASES|invalid propertyName/);
  });

  test('OPS-34: may have every field that a policy has', () => {
    const schema = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as {
      $defs: { aliasPolicy: { properties: { sort: { enum: string[] } } } };
    };
    const all = {
      sort: 'price',
      tee: true,
      features: ['tools'],
      models: ['Qwen/*', '!*Guard*'],
      max_ttft_s: 1.5,
      min_tps: 20,
      min_context_tokens: 1_048_576,
      max_price: { prompt: 0.25, completion: 1 },
    };
    const { aliases, problems } = readAliases(textOf({ all }));
    expect(problems).toEqual([]);
    expect(byName(aliases)).toEqual({ all: Object.assign(new AliasPolicy(), all) });
    const known = Object.keys(schema.$defs.aliasPolicy.properties);
    expect(known).toEqual(expect.arrayContaining([...Object.keys(all), ...Object.keys(new AliasPolicy())]));
    expect(schema.$defs.aliasPolicy.properties.sort.enum).toEqual(SORTS);
  });

  test.each([
    'x\n      smuggled: true',
    'x\r  smuggled: true\u0085smuggled: 1\u2028smuggled: 2',
    'x\n---\nkind: Smuggled\n',
    'x", "smuggled": "y',
    "x', smuggled: 'y",
    '{{ fail "smuggled" }}',
    '<x> & # smuggled',
    '*smuggled',
    '\u0000\u001F \\" é',
    'true',
    '1e3',
  ])('OPS-34: a name or pattern that reads %j stays one, whatever checks it', (text) => {
    const aliases = { [text]: { models: ['*', text], features: [text] } };
    expect(JSON.parse(textOf(aliases, renderUnchecked))).toEqual(aliases);
  });
});
