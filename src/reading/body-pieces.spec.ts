import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { BodyPieces } from './body-pieces.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function piecesOf(bytes: Buffer, size: number): BodyPieces {
  const pieces = new BodyPieces();
  for (let at = 0; at < bytes.length; at += size) pieces.push(Buffer.from(bytes.subarray(at, at + size)));
  return pieces;
}

test.each([
  ['nothing', 0, 1],
  ['one piece', 5_000, 5_000],
  ['a few pieces', 5_000, 1_700],
  ['just a run', 1_024, 1],
  ['a run and one more', 1_025, 1],
  ['several runs', 5_000, 1],
])('REQ-12: %s keeps its order', (_, length, size) => {
  const bytes = Buffer.from(Array.from({ length }, (__, i) => i % 251));
  expect(Buffer.concat(piecesOf(bytes, size).take())).toEqual(bytes);
});

test('CFG-35: a body in pieces of one byte takes little more than its size', () => {
  const bytes = Buffer.alloc(300_000, 'x');
  collectGarbage();
  const before = heldBytes();
  const pieces = piecesOf(bytes, 1);
  collectGarbage();
  // Each piece of its own would take 100 bytes and more.
  expect(heldBytes() - before).toBeLessThan(20 * bytes.length);
  expect(Buffer.concat(pieces.take())).toEqual(bytes);
});

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
