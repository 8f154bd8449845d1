import { createHash, createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { digestOf, keyedHash } from './keyed-hash.js';

const secret = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
const text = fc.string({ unit: 'grapheme', size: 'max', maxLength: 3_000 });

test('STK-15: the keyed hash is HMAC-SHA-256, whatever the secret and the texts before', () => {
  fc.assert(
    fc.property(secret, fc.array(text, { minLength: 1, maxLength: 4 }), (key, texts) => {
      const hashed = keyedHash(key);
      for (const message of texts) {
        expect(hashed(message)).toBe(createHmac('sha256', key).update(message).digest('base64'));
      }
    }),
  );
});

test.each([63, 64, 65])('STK-15: a secret of %i bytes gives HMAC-SHA-256', (bytes) => {
  const key = Buffer.alloc(bytes, 0xa5);
  expect(keyedHash(key)('text')).toBe(createHmac('sha256', key).update('text').digest('base64'));
});

test('STK-42: a digest is SHA-256 of what the pieces make up, wherever they were cut', () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      expect(digestOf(pieces)).toBe(createHash('sha256').update(Buffer.concat(pieces)).digest('base64'));
    }),
  );
  expect(digestOf([])).toBeUndefined();
});
