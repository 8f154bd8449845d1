import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { cut } from '../../test/support/cut.js';
import { areUtf8, lengthOf, slicePieces } from './pieces.js';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const size = fc.integer({ min: 1, max: 12 });

test('REQ-12: a slice of pieces is the slice of the whole, in the same memory', () => {
  fc.assert(
    fc.property(bytes, size, fc.nat(45), fc.nat(45), (whole, length, start, end) => {
      const slices = slicePieces(cut(whole, length), start, end);
      expect(Buffer.concat(slices)).toEqual(whole.subarray(start, Math.max(start, end)));
      expect(lengthOf(slices)).toBe(Math.max(0, Math.min(end, whole.length) - start));
      for (const slice of slices) expect(slice.buffer).toBe(whole.buffer);
    }),
  );
});

describe('UTF-8', () => {
  /** Bytes that begin, go on with, end or break a character. */
  const byte = fc.constantFrom(
    0x41,
    0x7f,
    0x80,
    0xbf,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xff,
    0xa0,
    0x90,
  );
  const rough = fc.array(byte, { maxLength: 8 }).map((array) => Buffer.from(array));
  const text = fc.string({ unit: 'binary', maxLength: 8 }).map((string) => Buffer.from(string));
  const mixed = fc.array(fc.oneof(text, rough), { maxLength: 3 }).map((parts) => Buffer.concat(parts));

  test('REQ-6: does not depend on how it is cut', () => {
    fc.assert(
      fc.property(mixed, size, (whole, length) => {
        expect(areUtf8(cut(whole, length))).toBe(isUtf8(whole));
      }),
      { numRuns: 5_000 },
    );
  });
});
