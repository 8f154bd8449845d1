/** The bytes that mean something in JSON. */

export const TAB: u8 = 0x09;
export const NEWLINE: u8 = 0x0a;
export const RETURN: u8 = 0x0d;
export const SPACE: u8 = 0x20;
export const QUOTE: u8 = 0x22;
export const PLUS: u8 = 0x2b;
export const COMMA: u8 = 0x2c;
export const MINUS: u8 = 0x2d;
export const DOT: u8 = 0x2e;
export const SLASH: u8 = 0x2f;
export const ZERO: u8 = 0x30;
export const NINE: u8 = 0x39;
export const COLON: u8 = 0x3a;
export const OPEN_BRACKET: u8 = 0x5b;
export const BACKSLASH: u8 = 0x5c;
export const CLOSE_BRACKET: u8 = 0x5d;
export const A: u8 = 0x61;
export const E: u8 = 0x65;
export const F: u8 = 0x66;
export const M: u8 = 0x6d;
export const N: u8 = 0x6e;
export const S: u8 = 0x73;
export const T: u8 = 0x74;
export const U: u8 = 0x75;
export const OPEN_BRACE: u8 = 0x7b;
export const CLOSE_BRACE: u8 = 0x7d;
/** What a small letter has, and a capital has not. */
export const SMALL: u8 = 0x20;

export function isDigit(byte: u8): bool {
  return byte - ZERO <= 9;
}

/** Whether it stands for something behind a backslash, without more. */
export function isSimpleEscape(letter: u8): bool {
  if (letter == QUOTE || letter == SLASH || letter == BACKSLASH) return true;
  // b, f, n, r, t
  return letter >> 5 == 3 && ((0x144044 >> (letter & 31)) & 1) == 1;
}

/** Whether all four bytes are hexadecimal digits. */
export function areHex(word: u32): bool {
  const digits = between(word, ZERO, NINE);
  const letters = between(word | 0x20202020, A, F);
  return (~(digits | letters) & 0x80808080) == 0;
}

/** Sets the top bit of each byte from `low` to `high`, both ASCII. Exact up to the first byte outside ASCII, which is never marked. */
function between(word: u32, low: u32, high: u32): u32 {
  return (word + (0x80 - low) * 0x01010101) & ~(word + (0x7f - high) * 0x01010101);
}
