import { createHash, hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** In UTF-8 a UTF-16 unit takes up to three bytes. */
const MAX_BYTES_PER_UNIT = 3;
const USUAL_UNITS = 1_024;

/**
 * HMAC-SHA-256 as RFC 2104 defines it, of texts, in base64. Node's `createHmac` makes an object with a native part for each
 * text; two one-shot hashes take half the time, and a third where the code is cold.
 *
 * @param secret of any length
 */
export function keyedHash(secret: string | Buffer): (text: string) => string {
  const key = Buffer.alloc(BLOCK_BYTES);
  const bytes = Buffer.from(secret);
  (bytes.length > BLOCK_BYTES ? hash('sha256', bytes, 'buffer') : bytes).copy(key);
  const inner = Buffer.alloc(BLOCK_BYTES + USUAL_UNITS * MAX_BYTES_PER_UNIT);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  key.forEach((byte, i) => {
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  });

  return (text) => {
    const room = text.length <= USUAL_UNITS ? inner : withRoomFor(text);
    const end = BLOCK_BYTES + room.write(text, BLOCK_BYTES);
    outer.write(hash('sha256', room.subarray(0, end), 'latin1'), BLOCK_BYTES, 'latin1');
    // A token is kept nowhere, not even here until the next one comes.
    room.fill(0, BLOCK_BYTES, end);
    return hash('sha256', outer, 'base64');
  };

  function withRoomFor(text: string): Buffer {
    return Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.alloc(text.length * MAX_BYTES_PER_UNIT)]);
  }
}

/** SHA-256 of what the pieces make up, in base64, none of it copied; `undefined` where there are no pieces. */
export function digestOf(pieces: readonly Buffer[]): string | undefined {
  const [first, ...others] = pieces;
  if (first === undefined) return undefined;
  if (others.length === 0) return hash('sha256', first, 'base64');
  const running = createHash('sha256');
  for (const piece of pieces) running.update(piece);
  return running.digest('base64');
}
