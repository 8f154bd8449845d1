import { describe, expect, test } from '@jest/globals';
import { AliasPolicy } from './alias-policy.js';
import { readAliases } from './aliases.js';

describe('AUTOPILOT_ALIASES', () => {
  test.each([
    ['names', ' a/b, c ,,d', ['a/b', 'c', 'd']],
    ['an object', '{"a/b":{},"c":{"sort":"price"}}', ['a/b', 'c']],
    ['nothing', '', []],
    ['an empty object', '{}', []],
  ])('POL-1: can be %s', (_, text, names) => {
    const { aliases, problems } = readAliases(text);
    expect(problems).toEqual([]);
    expect([...aliases.keys()]).toEqual(names);
  });

  test('POL-1: a name alone has the default policy, and so has an empty object', () => {
    expect(readAliases('a').aliases.get('a')).toEqual(new AliasPolicy());
    expect(readAliases('{"a":{}}').aliases.get('a')).toEqual(new AliasPolicy());
  });

  test('POL-1: what is given replaces the default, and the rest stays', () => {
    const policy = {
      models: ['Qwen/*', '!*-VL'],
      sort: 'price',
      max_price: { completion: 2.5 },
      max_ttft_s: 1.5,
    };
    expect(readAliases(JSON.stringify({ a: policy })).aliases.get('a')).toEqual(
      Object.assign(new AliasPolicy(), policy),
    );
  });

  test.each<[string, unknown]>([
    ['no field "sorts"', { a: { sorts: 'price' } }],
    ['sort must be one of', { a: { sort: 'best' } }],
    ['models must be an array', { a: { models: 'Qwen/*' } }],
    ['models should not be empty', { a: { models: [] } }],
    ['each value in models must be a string', { a: { models: [1] } }],
    ['each value in models must be a pattern', { a: { models: ['*', ''] } }],
    ['each value in models must be a pattern', { a: { models: ['*', '!'] } }],
    ['models must have a pattern without !', { a: { models: ['!*-VL'] } }],
    ['models must have a pattern without !', { a: { models: ['Qwen/*', '!*-VL', '!*'] } }],
    ['models must have a pattern without !', { a: { models: ['b', '!a', '!b'] } }],
    ['spread must be a boolean', { a: { spread: 1 } }],
    ['tee must be a boolean', { a: { tee: null } }],
    ['each value in features must be a string', { a: { features: [true] } }],
    ['min_context_tokens must be an integer', { a: { min_context_tokens: 1.5 } }],
    ['min_context_tokens must not be less than 0', { a: { min_context_tokens: -1 } }],
    ['max_ttft_s must be a positive number', { a: { max_ttft_s: 0 } }],
    ['min_tps must be a number', { a: { min_tps: '30' } }],
    ['max_ttft_s must be a positive number', { a: { max_ttft_s: null } }],
    ['min_tps must be a positive number', { a: { min_tps: null } }],
    ['max_price must be an object', { a: { max_price: null } }],
    ['max_price must be an object', { a: { max_price: { prompt: null, completion: 1 } } }],
    ['max_price must be an object', { a: { max_price: 3 } }],
    ['max_price must be an object', { a: { max_price: {} } }],
    ['max_price must be an object', { a: { max_price: { prompt: -1 } } }],
    ['max_price must be an object', { a: { max_price: { input: 1 } } }],
    ['must be an object', { a: [] }],
    ['must be an object', { a: null }],
    ['must not be empty', { '': {} }],
    ['must not have a comma', { 'a,b': {} }],
    ['at most 256 bytes', { ['é'.repeat(129)]: {} }],
    ['half a surrogate pair', { ['a\ud800']: {} }],
  ])('POL-2: %s', (problem, aliases) => {
    const { problems } = readAliases(JSON.stringify(aliases));
    expect(problems.join('\n')).toContain(problem);
  });

  test('POL-2: every problem is named, each with its alias', () => {
    const { problems, aliases } = readAliases('{"a":{"sort":1,"tee":1},"b":{},"c":{"x":1}}');
    expect(problems).toHaveLength(3);
    expect(problems.filter((problem) => problem.startsWith('"a": '))).toHaveLength(2);
    expect(problems.filter((problem) => problem.startsWith('"c": '))).toHaveLength(1);
    expect([...aliases.keys()]).toEqual(['b']);
  });

  test.each(['{', '{"a":{}', '{a:1}', '{"a":{}} x', '["a","b"]', '"a"'])(
    'POL-2: %s is no JSON object',
    (text) => {
      expect(readAliases(text).problems).toHaveLength(1);
    },
  );

  test('POL-2: patterns after what takes everything away count', () => {
    expect(readAliases('{"a":{"models":["!*","b","!bc","c*"]}}').problems).toEqual([]);
    expect(readAliases('{"a":{"models":["b","!b","b"]}}').problems).toEqual([]);
  });

  test('POL-22: an alias or a field that stands twice is a problem', () => {
    expect(readAliases('{"a":{},"b":{},"a":{"sort":"price"}}').problems).toEqual(['"a" stands twice']);
    expect(readAliases('{"a":{"tee":true,"tee":false},"b":{"tee":true}}').problems).toEqual([
      '"tee" stands twice',
    ]);
  });

  test('POL-2: a field named as what all objects have is no field', () => {
    expect(readAliases('{"a":{"__proto__":{"sort":"x"}}}').problems.length).toBeGreaterThan(0);
    expect(readAliases('{"a":{"constructor":1}}').problems.length).toBeGreaterThan(0);
  });
});
