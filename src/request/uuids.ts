import { randomFillSync } from 'node:crypto';

const BATCH = 128;
const BYTES = 16;
const LENGTH = 36;
/** Where the digits of each byte stand. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DIGITS = Buffer.from('0123456789abcdef');

/**
 * Makes UUIDs, version 4 (RFC 9562 §5.4), many from one reading of random bytes. Node's `randomUUID` reads as many at once, but
 * takes memory of its own for each.
 */
export function uuids(): () => string {
  const random = Buffer.alloc(BATCH * BYTES);
  const written = Buffer.alloc(BATCH * LENGTH, '-');
  let at = written.length;
  return () => {
    if (at === written.length) {
      writeBatch(random, written);
      at = 0;
    }
    at += LENGTH;
    // A slice of one text for all of them would keep all of it for a request that takes long.
    return written.toString('latin1', at - LENGTH, at);
  };
}

function writeBatch(random: Buffer, written: Buffer): void {
  randomFillSync(random);
  for (let i = 0; i < random.length; i += 1) {
    const nth = i % BYTES;
    let byte = random[i] as number;
    if (nth === 6) byte = (byte & 0x0f) | 0x40;
    if (nth === 8) byte = (byte & 0x3f) | 0x80;
    const place = Math.floor(i / BYTES) * LENGTH + (PLACES[nth] as number);
    written[place] = DIGITS[byte >> 4] as number;
    written[place + 1] = DIGITS[byte & 0x0f] as number;
  }
}
