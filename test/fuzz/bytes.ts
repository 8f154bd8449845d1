import type { Random } from '../support/random.ts';

const INTERESTING = Buffer.from('"\\{}[]:,\0\n\r\t \u007f\xff\xc0\xed0-+.eEu/', 'latin1');

/** Changes bytes here and there, in a few of the usual ways. @param tokens that mean something in this format */
export function mutated(
  random: Random,
  bytes: Buffer,
  tokens: readonly string[],
  others: readonly Buffer[],
): Buffer {
  let result = bytes;
  for (let n = random.between(1, 4); n > 0; n -= 1) result = mutatedOnce(random, result, tokens, others);
  return result;
}

function mutatedOnce(
  random: Random,
  bytes: Buffer,
  tokens: readonly string[],
  others: readonly Buffer[],
): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + random.between(1, random.chance(0.8) ? 4 : 64));
  const between = (middle: Uint8Array) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(to)]);
  switch (random.below(9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return between(Buffer.alloc(0));
    case 2:
      return between(Buffer.concat([bytes.subarray(at, to), bytes.subarray(at, to)]));
    case 3:
      return flipped(random, bytes, at);
    case 4:
      return between(Buffer.of(INTERESTING[random.below(INTERESTING.length)] as number));
    case 5:
      return between(Buffer.from(random.pick(tokens), 'latin1'));
    case 6:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(random.pick(tokens), 'latin1'),
        bytes.subarray(at),
      ]);
    case 7:
      return spliced(random, bytes, at, random.pick(others));
    default: {
      const from = random.below(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + 40), bytes.subarray(at)]);
    }
  }
}

function flipped(random: Random, bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const byte = copy[at];
  if (byte !== undefined) copy[at] = byte ^ (1 << random.below(8));
  return copy;
}

function spliced(random: Random, bytes: Buffer, at: number, other: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
}

/** The smallest input that still fails, as far as leaving out pieces leads there. */
export function shrunk(bytes: Buffer, fails: (bytes: Buffer) => boolean): Buffer {
  let best = bytes;
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= best.length;) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (fails(without)) best = without;
      else at += size;
    }
  }
  return best;
}
