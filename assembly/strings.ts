import { areHex, BACKSLASH, isSimpleEscape, QUOTE, SPACE, U } from './bytes';

/**
 * Skips a string's plain bytes and sound escapes, 64 bytes at a time and with hardly a branch, up to its closing quote
 * or something that needs a closer look. Which bytes are escaped is worked out as simdjson does it (Geoff Langdale,
 * Daniel Lemire, "Parsing Gigabytes of JSON per Second", section 3.1.1, in the shorter form of simdjson 3).
 */
export function skipBlocks(from: usize, to: usize): usize {
  const ODD: u64 = 0xaaaaaaaaaaaaaaaa;
  let at = from;
  let isFirstEscaped: u64 = 0;
  for (; at + 70 <= to; at += 64) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const backslashes = equal(a, b, c, d, BACKSLASH);
    const escaping = backslashes & ~isFirstEscaped;
    const codes = (((escaping << 1) | ODD) - escaping) ^ ODD;
    let escaped = codes ^ (backslashes | isFirstEscaped);
    const isLastEscaping = (codes & backslashes) >> 63;
    const quotes = equal(a, b, c, d, QUOTE) & ~escaped;
    const controls = below(a, b, c, d, SPACE);
    // All bits in front of the closing quote.
    const inside = (quotes & (0 - quotes)) - 1;
    escaped &= inside;
    if ((controls & inside) != 0 || !areSound(at, escaped)) break;
    if (quotes != 0) return at + <usize>ctz(quotes);
    isFirstEscaped = isLastEscaping;
  }
  return at - <usize>isFirstEscaped;
}

/** @param escaped a bit for each byte from `at` on that stands behind an escaping backslash. */
function areSound(at: usize, escaped: u64): bool {
  for (let rest = escaped; rest != 0; rest &= rest - 1) {
    const letterAt = at + <usize>ctz(rest);
    const letter = load<u8>(letterAt);
    if (letter == U) {
      if (!areHex(load<u32>(letterAt + 1))) return false;
    } else if (!isSimpleEscape(letter)) {
      return false;
    }
  }
  return true;
}

function equal(a: v128, b: v128, c: v128, d: v128, byte: u8): u64 {
  const all = i8x16.splat(byte);
  return bits(i8x16.eq(a, all), i8x16.eq(b, all), i8x16.eq(c, all), i8x16.eq(d, all));
}

function below(a: v128, b: v128, c: v128, d: v128, byte: u8): u64 {
  const all = i8x16.splat(byte);
  return bits(i8x16.lt_u(a, all), i8x16.lt_u(b, all), i8x16.lt_u(c, all), i8x16.lt_u(d, all));
}

/** A bit for each byte, the first byte lowest. */
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    (<u64>((<u32>i8x16.bitmask(a)) | ((<u32>i8x16.bitmask(b)) << 16))) |
    ((<u64>((<u32>i8x16.bitmask(c)) | ((<u32>i8x16.bitmask(d)) << 16))) << 32)
  );
}

/** To the next quote, backslash or control character, 16 bytes at a time: nearly all of a chat is skipped here. */
export function skipPlain(from: usize, to: usize): usize {
  let at = from;
  for (; at + 16 <= to; at += 16) {
    const bytes = v128.load(at);
    const marks = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH))),
        i8x16.lt_u(bytes, i8x16.splat(SPACE)),
      ),
    );
    if (marks != 0) return at + ctz(marks);
  }
  for (; at < to; at += 1) {
    const byte = load<u8>(at);
    if (byte == QUOTE || byte == BACKSLASH || byte < SPACE) break;
  }
  return at;
}
