import { describe, expect, test } from '@jest/globals';
import { apiErrorOf } from '../../test/support/api-error-of.js';
import { type ModelList, readModelList } from '../catalog/model-list.js';
import { chuteIdOf, nonceOf } from './evidence-target.js';

const NONCE = '0123456789abcdef'.repeat(4);
const UNKNOWN_UUID = 'ffffffff-0000-4000-8000-00000000000f';

describe('the nonce', () => {
  test.each([
    ['lower case', `nonce=${NONCE}`, NONCE],
    ['upper case', `nonce=${NONCE.toUpperCase()}`, NONCE.toUpperCase()],
    ['beside others', `a=1&nonce=${NONCE}&b=2&nonces=3`, NONCE],
    ['percent-encoded', `%6eonce=%30${NONCE.slice(1)}`, NONCE],
  ])('EVD-2: 64 hex characters are a nonce: %s', (_, query, nonce) => {
    expect(nonceOf(query)).toBe(nonce);
  });

  test.each([
    ['no query', ''],
    ['another parameter', `Nonce=${NONCE}`],
    ['no value', 'nonce'],
    ['an empty value', 'nonce='],
    ['63 characters', `nonce=${NONCE.slice(1)}`],
    ['65 characters', `nonce=${NONCE}0`],
    ['a character that is not hexadecimal', `nonce=g${NONCE.slice(1)}`],
    ['a digit of another script', `nonce=%D9%A0${NONCE.slice(1)}`],
    ['a line end', `nonce=${NONCE}%0A`],
    ['a space', `nonce=+${NONCE}`],
    ['two', `nonce=${NONCE}&nonce=${'f'.repeat(64)}`],
    ['the same twice', `nonce=${NONCE}&nonce=${NONCE}`],
    ['a good one and an empty one', `nonce=${NONCE}&nonce`],
    ['a question mark behind it', `nonce=${NONCE}?`],
  ])('EVD-2: anything else is invalid_nonce: %s', (_, query) => {
    const error = apiErrorOf(() => nonceOf(query));
    expect(error).toMatchObject({ code: 'invalid_nonce', status: 400 });
  });
});

describe('the chute', () => {
  const catalog = catalogOf([
    { id: 'a/tee', chute_id: uuid(1), confidential_compute: true },
    { id: 'a/open', chute_id: uuid(2), confidential_compute: false },
    { id: 'a/silent', chute_id: uuid(3) },
    { id: 'a/none', confidential_compute: true },
    { id: 'a/odd', chute_id: '../../users', confidential_compute: true },
    { id: 'a/empty', chute_id: '', confidential_compute: true },
  ]);

  test.each([
    ['a UUID of the catalog', uuid(1), uuid(1)],
    ['in upper case', uuid(1).toUpperCase(), uuid(1).toUpperCase()],
    ['a UUID that the catalog lacks', UNKNOWN_UUID, UNKNOWN_UUID],
  ])('EVD-3: a UUID is used as it is: %s', (_, given, chuteId) => {
    expect(chuteIdOf(given, catalog)).toBe(chuteId);
  });

  test('EVD-3: without a catalog, too', () => {
    expect(chuteIdOf(uuid(2), undefined)).toBe(uuid(2));
  });

  test.each([
    ['a/tee', uuid(1)],
    ['a/silent', uuid(3)],
  ])('EVD-4: the name %s is the chute %s', (name, chuteId) => {
    expect(chuteIdOf(name, catalog)).toBe(chuteId);
  });

  test.each([
    ['an unknown name', 'a/nobody'],
    ['a name in another case', 'A/TEE'],
    ['a name with a suffix', 'a/tee:latency'],
    ['a name without chute_id', 'a/none'],
    ['a name whose chute_id is a path', 'a/odd'],
    ['a name whose chute_id is empty', 'a/empty'],
    ['a UUID less a digit', uuid(1).slice(0, -1)],
    ['a UUID and more', `${uuid(1)}/x`],
    ['a UUID without hyphens', uuid(1).replaceAll('-', '')],
    ['a path', '..'],
    ['nothing', ''],
    ['what every object has', 'constructor'],
  ])('EVD-5: anything else is model_not_found: %s', (_, given) => {
    const error = apiErrorOf(() => chuteIdOf(given, catalog));
    expect(error).toMatchObject({ code: 'model_not_found', status: 404 });
  });

  test('EVD-5: while there is no catalog every name is', () => {
    expect(apiErrorOf(() => chuteIdOf('a/tee', undefined)).code).toBe('model_not_found');
  });

  test.each(['a/open', uuid(2), uuid(2).toUpperCase()])(
    'EVD-6: what is known as not confidential is not_confidential: %s',
    (given) => {
      const error = apiErrorOf(() => chuteIdOf(given, catalog));
      expect(error).toMatchObject({ code: 'not_confidential', status: 400 });
    },
  );
});

function uuid(n: number): string {
  return `abcdef00-0000-5000-8000-00000000000${n}`;
}

function catalogOf(data: readonly unknown[]): ModelList {
  const list = readModelList({ data })?.list;
  if (!list) throw new Error('That is no model list.');
  return list;
}
