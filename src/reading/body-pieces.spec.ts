import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BodyPieces } from './body-pieces.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** @param sizes over and over, until all bytes are pushed */
function piecesOf(bytes: Buffer, sizes: readonly number[], most?: number): BodyPieces {
  const pieces = new BodyPieces(most);
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] as number;
    pieces.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return pieces;
}

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, i) => i % 251));

test.each([
  ['nothing', 0, [1]],
  ['one piece', 5_000, [5_000]],
  ['a few pieces', 5_000, [1_700]],
  ['single bytes', 5_000, [1]],
  ['just a page', 1_025, [1]],
  ['several pages', 300_000, [1_000]],
  ['pages that are as large as they become', 200_000, [4_095]],
  ['long pieces', 300_000, [65_536]],
  ['long and short pieces in turn', 300_000, [4_096, 1]],
])('REQ-12: %s keeps its order', (_, length, sizes) => {
  const bytes = bytesOf(length);
  expect(Buffer.concat(piecesOf(bytes, sizes).take())).toEqual(bytes);
  expect(Buffer.concat(piecesOf(bytes, sizes, length).take())).toEqual(bytes);
});

test('CFG-58: what is held is at least what has come, and with a known length never more than that', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10_000 }));
  fc.assert(
    fc.property(fc.nat(50_000), fc.array(size, { minLength: 1, maxLength: 8 }), (length, sizes) => {
      const bytes = bytesOf(length);
      const [known, unknown] = [piecesOf(bytes, sizes, length), piecesOf(bytes, sizes)];
      expect([known.length, known.heldBytes]).toEqual([length, length]);
      expect(unknown.heldBytes).toBeGreaterThanOrEqual(length);
      expect(unknown.heldBytes).toBeLessThanOrEqual(2 * length + 1_024);
      expect(Buffer.concat(unknown.take())).toEqual(bytes);
      expect(unknown.heldBytes).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('REQ-12, CFG-58: more than was to come is all there', () => {
  const bytes = bytesOf(20_000);
  expect(Buffer.concat(piecesOf(bytes, [700], 1_000).take())).toEqual(bytes);
});

test('CFG-58: the only piece of a body is not copied', () => {
  const [small, large] = [Buffer.from('{}'), Buffer.alloc(100_000)];
  for (const piece of [small, large]) {
    const pieces = new BodyPieces();
    pieces.push(piece);
    expect(pieces.heldBytes).toBe(piece.length);
    expect(pieces.take()[0]).toBe(piece);
  }
});

test.each([
  ['many bodies of single bytes', 2_000, 1_000],
  ['one large body of single bytes', 1, 2_000_000],
])('CFG-35: %s take little more than their size', (_, count, length) => {
  const bytes = Buffer.alloc(length, 'x');
  collectGarbage();
  const before = heldBytes();
  const bodies = Array.from({ length: count }, () => piecesOf(bytes, [1]));
  collectGarbage();
  // Each piece of its own would take 100 bytes and more; what Jest itself holds moves by a megabyte or two.
  expect(heldBytes() - before).toBeLessThan(4 * count * bytes.length);
  expect(bodies.every((body) => Buffer.concat(body.take()).equals(bytes))).toBe(true);
});

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
