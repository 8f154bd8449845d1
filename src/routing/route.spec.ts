import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { apiErrorOf } from '../../test/support/api-error-of.js';
import { routingSettings } from '../../test/support/routing-stage.js';
import { type Route, routeOf } from './route.js';

const ALIAS = 'chutesai/AutoPilot';
const settings = routingSettings(`${ALIAS},other/Alias`);

describe('what the value asks for', () => {
  test.each([
    [ALIAS, { mode: 'alias', alias: ALIAS }],
    ['other/Alias', { mode: 'alias', alias: 'other/Alias' }],
    ['chutesai/autopilot', { mode: 'direct', model: 'chutesai/autopilot' }],
    [` ${ALIAS}`, { mode: 'direct', model: ` ${ALIAS}` }],
    [`${ALIAS},`, { mode: 'list', items: [ALIAS] }],
  ])('SEL-6: only a value that equals an alias is one: %j', (value, route) => {
    expect(spelled(routeOf(value, settings))).toEqual(route);
  });

  test.each([
    ['a,b', ['a', 'b']],
    ['b,a', ['b', 'a']],
    [' a ,\tb\r\n', ['a', 'b']],
    ['a,\v\fb\f\v', ['a', 'b']],
    [',a,,b,', ['a', 'b']],
    ['a, ,b', ['a', 'b']],
    ['a,b,a , b,c', ['a', 'b', 'c']],
    ['a,A', ['a', 'A']],
    ['a b,c', ['a b', 'c']],
    ['\u00a0a,\u3000b', ['\u00a0a', '\u3000b']],
    ['a:x,a', ['a:x', 'a']],
    [`a,${ALIAS}`, ['a', ALIAS]],
  ])('SEL-7: a list is split, trimmed of ASCII white space and de-duplicated: %j', (value, items) => {
    expect(spelled(routeOf(value, settings))).toEqual({ mode: 'list', items });
  });

  test('SEL-7: agrees with a reader of one character after the other on any value', () => {
    const piece = fc.constantFrom(',', ',', ' ', '\t', '\n', '\u00a0', '\ufeff', 'a', 'b', 'é', '😀', ALIAS);
    const value = fc.array(piece, { maxLength: 24 }).map((pieces) => `${pieces.join('')},`);
    fc.assert(
      fc.property(value, (text) => {
        const items = itemsByHand(text);
        fc.pre(items.length > 0);
        expect(spelled(routeOf(text, { ...settings, maxListItems: 24 }))).toEqual({ mode: 'list', items });
      }),
    );
  });

  test('SEL-7: white space inside an item costs no more time than other characters', () => {
    const value = `a${' '.repeat(8000)}b,c`;
    const before = process.cpuUsage();
    for (let i = 0; i < 200; i += 1) resultOf(value);
    const { user } = process.cpuUsage(before);
    // Quadratic time would be some 15 s.
    expect(user / 1_000).toBeLessThan(3_000);
  });

  test.each(['zai-org/GLM-5-TEE', 'zai-org/GLM-5-TEE:latency', 'a;b', 'a b', 'a\uff0cb', ' '])(
    'SEL-13: a value without a comma that is no alias is one model as it stands: %j',
    (value) => {
      expect(spelled(routeOf(value, settings))).toEqual({ mode: 'direct', model: value });
    },
  );
});

describe('lists that are none', () => {
  test.each([',', ',,,', ' , ', '\t,\n'])('SEL-8: a list without items is refused: %j', (value) => {
    expect(apiErrorOf(() => routeOf(value, settings))).toMatchObject({
      code: 'invalid_model_list',
      status: 400,
      param: 'model',
    });
  });

  test.each([
    ['a,b,c', 'accepted'],
    ['a,b,c,', 'accepted'],
    ['a,b,a,c,b,c', 'accepted'],
    ['a,b,c,d', 'invalid_model_list'],
    [`a,b,c,${ALIAS}`, 'invalid_model_list'],
  ])('SEL-9: of three items at most, %j is %s', (value, result) => {
    expect(resultOf(value, { ...settings, maxListItems: 3 })).toBe(result);
  });
});

describe('limits', () => {
  test.each([
    ['256 bytes of ASCII', 'a'.repeat(256), 'accepted'],
    ['257 bytes of ASCII', 'a'.repeat(257), 'invalid_model'],
    ['128 characters of 2 bytes', 'é'.repeat(128), 'accepted'],
    ['128 characters of 2 bytes and one more', `${'é'.repeat(128)}a`, 'invalid_model'],
    ['64 characters of 4 bytes', '😀'.repeat(64), 'accepted'],
    ['64 characters of 4 bytes and one more', `${'😀'.repeat(64)}a`, 'invalid_model'],
  ])('SEL-2: a model may have 256 bytes of UTF-8, alone and in a list: %s', (_, model, result) => {
    expect(resultOf(model)).toBe(result);
    expect(resultOf(`b, ${model} ,c`)).toBe(result);
  });

  test('SEL-2: white space around an item does not count', () => {
    expect(resultOf(`b,${' '.repeat(300)}a`)).toBe('accepted');
  });

  test.each([
    ['8192 bytes of ASCII', listOf('a', 8192), 'accepted'],
    ['8193 bytes of ASCII', listOf('a', 8193), 'invalid_model'],
    ['8192 bytes in 4132 characters', listOf('é'.repeat(100), 8192), 'accepted'],
    ['8193 bytes in 4133 characters', listOf('é'.repeat(100), 8193), 'invalid_model'],
  ])('SEL-1: the value may have 8 KiB of UTF-8: %s', (_, value, result) => {
    expect(resultOf(value)).toBe(result);
  });

  test.each(['\ud83d', '\ude00\ud83d', 'a,\udc00', 'a\ud83d,b', `${ALIAS}\ud800`])(
    'SEL-3: a lone surrogate is refused: %j',
    (value) => {
      expect(resultOf(value)).toBe('invalid_model');
    },
  );

  test('SEL-3: a pair of surrogates is not', () => {
    expect(resultOf('\ud83d\ude00')).toBe('accepted');
  });

  test.each([
    ['SEL-1', 'too long', 'sesame'.repeat(2000)],
    ['SEL-2', 'a long item', `b,${'sesame'.repeat(50)}`],
    ['SEL-3', 'a lone surrogate', 'sesame\ud800'],
  ])('%s, SEL-4: the error names the parameter and not the value: %s', (_clause, _, value) => {
    const error = apiErrorOf(() => routeOf(value, settings));
    expect(error).toMatchObject({ code: 'invalid_model', status: 400, param: 'model' });
    expect(error.message).not.toContain('sesame');
  });

  test.each([
    ['a long item in a list of too many', `${'a'.repeat(257)},b,c,d`],
    ['a long item behind a list of too many', `b,c,d,e,f,${'a'.repeat(257)}`],
    ['a lone surrogate in a list of too many', 'a,b,c,d,\ud800'],
    ['nothing but commas, and too many of them', ','.repeat(8193)],
  ])('SEL-5: the limits come before the list is judged: %s', (_, value) => {
    expect(resultOf(value, { ...settings, maxListItems: 3 })).toBe('invalid_model');
  });
});

function resultOf(value: string, limits = settings): string {
  try {
    routeOf(value, limits);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A list that is nothing but `item` again and again, filled up with commas to so many bytes. */
function listOf(item: string, bytes: number): string {
  const size = Buffer.byteLength(item) + 1;
  const times = Math.floor(bytes / size);
  return `${item},`.repeat(times) + ','.repeat(bytes - times * size);
}

/** SEL-7 once more, by reading instead of splitting. */
function itemsByHand(text: string): string[] {
  const items: string[] = [];
  let item = '';
  let space = '';
  for (const character of text) {
    if (character === ',') {
      if (item !== '' && !items.includes(item)) items.push(item);
      item = '';
      space = '';
    } else if ('\t\n\v\f\r '.includes(character)) {
      space += item === '' ? '' : character;
    } else {
      item += space + character;
      space = '';
    }
  }
  return items;
}

/** With aliases as they are named. */
function spelled(route: Route): object {
  switch (route.mode) {
    case 'alias':
      return { mode: 'alias', alias: [route.alias.alias, ...route.alias.variants].join(':') };
    case 'direct':
      return route;
    case 'list':
      return {
        mode: 'list',
        items: route.items.map((item) => (typeof item === 'string' ? item : item.alias)),
      };
  }
}
