import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { deepestMessage, readError } from './upstream-error.js';

const WORDS = 'The model is tired.';
/** As Chutes nests an engine's error in its own. */
const NESTED = {
  detail: `Invalid request: Invalid request: ${JSON.stringify({
    detail: { error: { message: WORDS, type: 'BadRequestError', param: null, code: 400 } },
  })}`,
};

describe('what an error of the upstream says', () => {
  test.each<[string, unknown, string]>([
    ['a text', { detail: WORDS }, WORDS],
    ['an object', { detail: { message: WORDS, quota_reset_timestamp: 1 } }, WORDS],
    ['a list of what is wrong', { detail: [{ loc: ['body'], msg: 'Field required' }] }, 'Field required'],
    ['a longer list', { detail: [{ msg: 'One' }, {}, 7, 'two'] }, 'One; two'],
    ['an error of OpenAI’s shape', { error: { message: WORDS } }, WORDS],
    ['a bare text as error', { error: WORDS }, WORDS],
    ['SGLang’s own', { object: 'error', message: WORDS, type: 'BadRequestError', code: 400 }, WORDS],
    ['an engine’s, nested as text', NESTED, WORDS],
    ['the same, once more', { detail: `Invalid request: ${JSON.stringify(NESTED)}` }, WORDS],
    ['nested, with words behind it', { detail: `Bad: {"message":"${WORDS}"} (try again)` }, WORDS],
    ['nested in an object', { error: { message: JSON.stringify(NESTED) } }, WORDS],
    ['braces that are no JSON', { detail: `Use {model} here. ${WORDS}` }, `Use {model} here. ${WORDS}`],
    ['JSON that says nothing', { detail: 'Bad value: {"a":1}' }, 'Bad value: {"a":1}'],
    ['an empty error beside a text', { error: null, detail: WORDS }, WORDS],
    ['nothing', { detail: null }, ''],
    ['a number', { detail: 404 }, ''],
    ['an empty text', { detail: '' }, ''],
    ['an empty list', { detail: [] }, ''],
  ])('ATT-49: the innermost message of %s', (_, body, message) => {
    expect(readError(JSON.stringify(body))).toMatchObject({ message });
    expect(deepestMessage(body) ?? '').toBe(message);
  });

  test.each<[string, unknown, unknown]>([
    [
      'of OpenAI’s shape',
      { error: { message: WORDS, code: 'context_length_exceeded' } },
      'context_length_exceeded',
    ],
    ['that is nested', NESTED, 400],
    ['outside of a nested one without a code', { error: { message: '{"message":"x"}', code: 7 } }, 7],
    ['without one', { detail: WORDS }, undefined],
  ])('ATT-49: the innermost code of an error %s', (_, body, code) => {
    expect(readError(JSON.stringify(body))?.code).toBe(code);
  });

  test.each<[string, unknown, string]>([
    ['a text', { detail: WORDS }, WORDS],
    ['an object with a message', { detail: { message: WORDS } }, WORDS],
    ['nested text, as it stands', NESTED, NESTED.detail],
    ['a list', { detail: [WORDS] }, ''],
    ['an object without one', { detail: { error: WORDS } }, ''],
    ['another key', { error: { message: WORDS } }, ''],
  ])('ATT-45: the text of detail, where that is %s', (_, body, detail) => {
    expect(readError(JSON.stringify(body))?.detail).toBe(detail);
  });

  test.each([
    ['an HTML page', '<html>{"detail":"x"}</html>'],
    ['half an object', '{"detail":"x"'],
    ['a list', '[{"detail":"x"}]'],
    ['a text', '"detail"'],
    ['nothing', ''],
    ['compressed', Buffer.from([0x1f, 0x8b, 8, 0, 0]).toString()],
    ['more than one value', '{"detail":"x"}{}'],
  ])('ATT-50: %s is none', (_, body) => {
    expect(readError(body)).toBeUndefined();
  });

  test('ATT-49: a byte order mark in front is skipped', () => {
    expect(readError('\u{feff}{"detail":"x"}')?.detail).toBe('x');
  });

  test('ATT-49: the message is found however deep it is nested, in whatever words', () => {
    const words = fc.string({ minLength: 1 }).filter((text) => !/[{}]/.test(text));
    const layer = fc.constantFrom<(inner: unknown) => unknown>(
      (inner) => ({ detail: inner }),
      (inner) => ({ error: inner, param: null }),
      (inner) => ({ object: 'error', message: inner }),
      (inner) => [inner],
      (inner) => `Invalid request: ${JSON.stringify({ message: inner })}`,
    );
    fc.assert(
      fc.property(words, fc.array(layer, { maxLength: 6 }), (message, layers) => {
        const error = layers.reduce((inner: unknown, wrap) => wrap(inner), message);
        expect(deepestMessage(error)).toBe(message);
      }),
    );
  });

  test('ATT-51: any JSON is read, and nothing of it throws', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const message = deepestMessage(value);
        expect(message === undefined || typeof message === 'string').toBe(true);
      }),
    );
  });

  const SIZE = 16 * 1024;
  test.each([
    ['objects in objects', `${'{"error":'.repeat(1_600)}1${'}'.repeat(1_600)}`],
    ['lists in lists', `{"detail":${'['.repeat(8_000)}${']'.repeat(8_000)}}`],
    ['open braces', JSON.stringify({ detail: '{'.repeat(SIZE - 20) })],
    ['braces of both kinds', JSON.stringify({ detail: '{"a":'.repeat(1_000) + '}'.repeat(1_000) })],
    ['escapes', `{"detail":"${'\\\\'.repeat(SIZE / 2 - 10)}"}`],
    ['escapes of escapes', JSON.stringify({ detail: `{"message":${JSON.stringify('"\\'.repeat(1_500))}}` })],
    ['many texts with braces', JSON.stringify({ detail: Array.from({ length: 3_000 }, () => '{}') })],
  ])('ATT-51: 16 KiB of %s are read in no time', (_, body) => {
    const startedAt = performance.now();
    for (let n = 0; n < 10; n += 1) readError(body);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
