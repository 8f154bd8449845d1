import { isUtf8 } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

/** In bytes. */
export function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** The bytes from `start` to `end` of what the pieces make up, none of them copied. */
export function slicePieces(pieces: readonly Buffer[], start: number, end: number): Buffer[] {
  const slices: Buffer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, piece.length);
    if (from < to) slices.push(piece.subarray(from, to));
    at += piece.length;
  }
  return slices;
}

/** The text between two places. */
export function textBetween(pieces: readonly Buffer[], start: number, end: number): string {
  const [first] = pieces;
  if (first && end <= first.length) return first.toString('utf8', start, end);
  return Buffer.concat(slicePieces(pieces, start, end)).toString();
}

/** Whether the pieces make up valid UTF-8; a piece may end in the middle of a character. */
export function areUtf8(pieces: readonly Buffer[]): boolean {
  let begun: Buffer = NOTHING;
  for (const piece of pieces) {
    const bytes = begun.length === 0 ? piece : Buffer.concat([begun, piece]);
    const unfinished = unfinishedAtEnd(bytes);
    if (!isUtf8(unfinished === 0 ? bytes : bytes.subarray(0, -unfinished))) return false;
    begun = unfinished === 0 ? NOTHING : bytes.subarray(-unfinished);
  }
  return begun.length === 0;
}

/** How many bytes at the end are the beginning of a character. */
function unfinishedAtEnd(bytes: Buffer): number {
  for (let n = 1; n <= Math.min(3, bytes.length); n += 1) {
    const byte = bytes[bytes.length - n] as number;
    const isContinuation = byte >= 0x80 && byte < 0xc0;
    if (!isContinuation) return n < sizeByLead(byte) ? n : 0;
  }
  return 0;
}

/** @returns how many bytes a character has that begins with this one. */
function sizeByLead(byte: number): number {
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}
