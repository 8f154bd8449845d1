/**
 * Validates one JSON text that comes in pieces (RFC 8259, at most 1000 levels deep), and finds what it asks for in the same
 * pass: `words.ts` has the words that mean something, `findings.ts` what they mean where. UTF-8 is somebody else's business.
 *
 * AssemblyScript, compiled to WebAssembly for its vectors; `src/reading/json-scanner.factory.ts` calls it. It keeps one text's
 * state, since a text is read in one go. A byte at a time it is a state machine, so that a piece may end anywhere;
 * inside of strings, where a chat has nearly all of its bytes, it takes 16 or 64 of them.
 */

import {
  A,
  areHex,
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DOT,
  E,
  F,
  isDigit,
  isSimpleEscape,
  MINUS,
  N,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  RETURN,
  SMALL,
  SPACE,
  T,
  TAB,
  U,
  ZERO,
} from './bytes';
import {
  beginFindings,
  beginOuterValue,
  closeContainer,
  closer,
  depth,
  endKey,
  endLimit,
  endString,
  endValue,
  forget,
  isLimit,
  key,
  MAX_DEPTH,
  openContainer,
  put,
  writeFindings,
} from './findings';
import { addToNumber, beginNumber, positiveInteger } from './numbers';
import { beginSpelling, endSpelling, hasPrefix, isDataUrl, isOpen, spellBytes, spellUnit } from './spelling';
import { skipBlocks, skipPlain } from './strings';
import { Place, Word, wordAt } from './words';

export { FOUND } from './findings';

let problem: Problem = Problem.None;
/** Where, in bytes from the beginning. */
let problemAt: i32 = 0;
let isObject: bool = false;

/** As `src/reading/json-scanner.factory.ts` lists them. */
const enum Problem {
  None,
  /** A character, or the end. */
  Unexpected,
  BadEscape,
  TooDeep,
}

/** What follows the first letter, the next one lowest. */
const RUE: u32 = 0x657572;
const ALSE: u32 = 0x65736c61;
const ULL: u32 = 0x6c6c75;

/** Where a piece is put before it is read. */
export const PIECE: usize = memory.data(65536 + 16, 16);
export const MAX_PIECE: i32 = 65536;

/** What may come next. */
const enum Next {
  Value,
  /** Behind `[`. */
  ValueOrClose,
  /** Behind `{`. */
  KeyOrClose,
  Key,
  Colon,
  CommaOrClose,
  String,
  Escape,
  Hex,
  Literal,
  /** Behind `-`. */
  FirstDigit,
  /** Behind a leading zero. */
  DotOrE,
  Digits,
  FractionDigit,
  FractionDigits,
  ExponentSign,
  ExponentDigit,
  ExponentDigits,
}

let next: Next = Next.Value;
/** How many bytes came in earlier pieces. */
let base: i32 = 0;
/** Of the string that is being read: whether it is a key, and where it begins. */
let isKey: bool = false;
let stringAt: i32 = 0;
let escapeAt: i32 = 0;
let hexDigits: i32 = 0;
let hexValue: i32 = 0;
/** The rest of `true`, `false` or `null`: the next byte lowest. */
let literal: u32 = 0;

export function begin(): void {
  problem = Problem.None;
  isObject = false;
  next = Next.Value;
  base = 0;
  beginFindings();
}

/** Reads the next `length` bytes, which are at `PIECE`. */
export function read(length: i32): void {
  if (problem == Problem.None) readFrom(PIECE, PIECE + <usize>length);
  base += length;
}

export function finish(): void {
  if (problem == Problem.None) checkEnd();
  put(0, problem);
  put(1, problemAt);
  put(2, isObject);
  writeFindings(base);
}

function checkEnd(): void {
  switch (next) {
    case Next.Escape:
    case Next.Hex:
      fail(Problem.BadEscape, escapeAt);
      break;
    case Next.DotOrE:
    case Next.Digits:
    case Next.FractionDigits:
    case Next.ExponentDigits:
    case Next.CommaOrClose:
      if (depth == 0) break;
    default:
      fail(Problem.Unexpected, base);
  }
}

function fail(what: Problem, at: i32): void {
  problem = what;
  problemAt = at;
}

/** What mostly follows stands below, so that a member of an object takes one turn. */
function readFrom(from: usize, to: usize): void {
  let at = from;
  while (at < to && problem == Problem.None) {
    if (next == Next.CommaOrClose) {
      at = skipSpace(at, to);
      if (at == to) return;
      const byte = load<u8>(at);
      const closing = closer();
      if (depth == 0 || (byte != COMMA && byte != closing)) return fail(Problem.Unexpected, offset(at));
      at += 1;
      if (byte == closing) {
        close(at, byte);
        continue;
      }
      next = closing == CLOSE_BRACE ? Next.Key : Next.Value;
    }
    if (next == Next.Key || next == Next.KeyOrClose) {
      at = skipSpace(at, to);
      if (at == to) return;
      const byte = load<u8>(at);
      if (byte == QUOTE) {
        at = readKey(at + 1, to);
      } else if (byte == CLOSE_BRACE && next == Next.KeyOrClose) {
        at += 1;
        close(at, byte);
      } else {
        return fail(Problem.Unexpected, offset(at));
      }
      if (next != Next.Colon) continue;
    }
    if (next == Next.Colon) {
      at = skipSpace(at, to);
      if (at == to) return;
      if (load<u8>(at) != COLON) return fail(Problem.Unexpected, offset(at));
      at += 1;
      next = Next.Value;
    }
    if (next == Next.Value || next == Next.ValueOrClose) {
      at = skipSpace(at, to);
      if (at == to) return;
      const byte = load<u8>(at);
      if (byte == CLOSE_BRACKET && next == Next.ValueOrClose) {
        at += 1;
        close(at, byte);
      } else {
        at = readValue(at, to, byte);
      }
    } else {
      at = readMore(at, to);
    }
  }
}

/** What is in the middle of something. */
function readMore(at: usize, to: usize): usize {
  switch (next) {
    case Next.String:
      return readString(at, skipPlain(at, to), to);
    case Next.Escape:
      return readEscape(at);
    case Next.Hex:
      return readHex(at);
    case Next.Literal:
      if (load<u8>(at) != (literal & 0xff)) {
        fail(Problem.Unexpected, offset(at));
        return at;
      }
      literal >>= 8;
      if (literal == 0) end(at + 1);
      return at + 1;
    default:
      if (isLimit()) addToNumber(load<u8>(at));
      else if (next == Next.Digits) at = skipDigits(at, to);
      return at < to ? readNumber(at) : at;
  }
}

function offset(at: usize): i32 {
  return base + <i32>(at - PIECE);
}

function skipSpace(from: usize, to: usize): usize {
  let at = from;
  while (at < to) {
    const byte = load<u8>(at);
    if (byte > SPACE || (byte != SPACE && byte != NEWLINE && byte != RETURN && byte != TAB)) break;
    at += 1;
  }
  return at;
}

/** A string as far as the piece goes, the first byte of anything else. */
function readValue(at: usize, to: usize, byte: u8): usize {
  if (depth <= 2) beginOuterValue(offset(at), byte);
  if (byte == QUOTE) return readStringValue(at + 1, to);
  forget();
  switch (byte) {
    case OPEN_BRACE:
      if (depth == 0) isObject = true;
      open(at, CLOSE_BRACE);
      next = Next.KeyOrClose;
      break;
    case OPEN_BRACKET:
      open(at, CLOSE_BRACKET);
      next = Next.ValueOrClose;
      break;
    case T:
      literal = RUE;
      next = Next.Literal;
      break;
    case F:
      literal = ALSE;
      next = Next.Literal;
      break;
    case N:
      literal = ULL;
      next = Next.Literal;
      break;
    case MINUS:
      next = Next.FirstDigit;
      break;
    case ZERO:
      next = Next.DotOrE;
      break;
    default:
      if (!isDigit(byte)) {
        fail(Problem.Unexpected, offset(at));
        return at;
      }
      next = Next.Digits;
  }
  if (isLimit()) {
    beginNumber();
    addToNumber(byte);
  }
  return at + 1;
}

/** @param closing the byte that closes it */
function open(at: usize, closing: u8): void {
  if (depth == MAX_DEPTH) fail(Problem.TooDeep, offset(at));
  else openContainer(closing);
}

/** @param at behind its last byte, which is `byte` */
function close(at: usize, byte: u8): void {
  closeContainer(byte, offset(at));
  end(at);
}

/** @param at behind the last byte of a value */
function end(at: usize): void {
  next = Next.CommaOrClose;
  endValue(offset(at));
}

function readKey(from: usize, to: usize): usize {
  const place = depth == 1 ? Place.TopKey : Place.Key;
  const at = skipPlain(from, to);
  if (at < to && load<u8>(at) == QUOTE) {
    next = Next.Colon;
    endKey(wordAt(from, <i32>(at - from), place));
    return at + 1;
  }
  isKey = true;
  beginSpelling(place);
  next = Next.String;
  return readString(from, at, to);
}

function readStringValue(from: usize, to: usize): usize {
  const place = key == Word.Type ? Place.Type : key == Word.Role ? Place.Role : Place.None;
  const at = skipPlain(from, to);
  if (at < to && load<u8>(at) == QUOTE) {
    const word = place == Place.None ? Word.None : wordAt(from, <i32>(at - from), place);
    endString(word, hasPrefix(from), offset(from - 1), offset(at + 1));
    end(at + 1);
    return at + 1;
  }
  isKey = false;
  stringAt = offset(from - 1);
  beginSpelling(place);
  next = Next.String;
  return readString(from, at, to);
}

/** Up to the string's end, the end of the piece, or an escape that the piece may cut. */
function readString(from: usize, plainTo: usize, to: usize): usize {
  let at = plainTo;
  if (isOpen) spellBytes(from, at);
  while (true) {
    if (!isOpen && at < to && load<u8>(at) == BACKSLASH) at = skipBlocks(at, to);
    if (at == to) return at;
    const byte = load<u8>(at);
    if (byte == QUOTE) return leaveString(at + 1);
    if (byte < SPACE) {
      fail(Problem.Unexpected, offset(at));
      return at;
    }
    if (byte == BACKSLASH) {
      if (at + 6 > to) return beginEscape(at);
      const letter = load<u8>(at + 1);
      if (isSimpleEscape(letter)) {
        if (isOpen) spellUnit(0);
        at += 2;
      } else if (letter == U && areHex(load<u32>(at + 2))) {
        if (isOpen) spellUnit(hexAt(at + 2));
        at += 6;
      } else {
        fail(Problem.BadEscape, offset(at));
        return at;
      }
    }
    const behind = skipPlain(at, to);
    if (isOpen) spellBytes(at, behind);
    at = behind;
  }
}

/** @param at behind its closing quote */
function leaveString(at: usize): usize {
  const word = endSpelling();
  if (isKey) {
    endKey(word);
    next = Next.Colon;
  } else {
    endString(word, isDataUrl, stringAt, offset(at));
    end(at);
  }
  return at;
}

/** The value of four hexadecimal digits. */
function hexAt(at: usize): i32 {
  let value = 0;
  for (let n: usize = 0; n < 4; n += 1) {
    const digit = load<u8>(at + n);
    value = (value << 4) | ((digit & 15) + (digit >> 6) * 9);
  }
  return value;
}

function beginEscape(at: usize): usize {
  escapeAt = offset(at);
  next = Next.Escape;
  return at + 1;
}

function readEscape(at: usize): usize {
  const letter = load<u8>(at);
  if (letter == U) {
    hexDigits = 4;
    hexValue = 0;
    next = Next.Hex;
  } else if (isSimpleEscape(letter)) {
    // None of them stands for a letter.
    spellUnit(0);
    next = Next.String;
  } else {
    fail(Problem.BadEscape, escapeAt);
  }
  return at + 1;
}

function readHex(at: usize): usize {
  const byte = load<u8>(at);
  const letter = byte | SMALL;
  if (isDigit(byte)) {
    hexValue = (hexValue << 4) | (byte - ZERO);
  } else if (letter >= A && letter <= F) {
    hexValue = (hexValue << 4) | (letter - A + 10);
  } else {
    fail(Problem.BadEscape, escapeAt);
    return at;
  }
  hexDigits -= 1;
  if (hexDigits == 0) {
    spellUnit(hexValue);
    next = Next.String;
  }
  return at + 1;
}

function skipDigits(from: usize, to: usize): usize {
  let at = from;
  while (at < to && isDigit(load<u8>(at))) at += 1;
  return at;
}

function readNumber(at: usize): usize {
  const byte = load<u8>(at);
  const hasDigit = isDigit(byte);
  switch (next) {
    case Next.FirstDigit:
      if (!hasDigit) break;
      next = byte == ZERO ? Next.DotOrE : Next.Digits;
      return at + 1;
    case Next.Digits:
      if (hasDigit) return at + 1;
    case Next.DotOrE:
      if (byte == DOT) {
        next = Next.FractionDigit;
        return at + 1;
      }
    case Next.FractionDigits:
      if (hasDigit && next == Next.FractionDigits) return at + 1;
      if ((byte | SMALL) == E) {
        next = Next.ExponentSign;
        return at + 1;
      }
    case Next.ExponentDigits:
      if (hasDigit && next == Next.ExponentDigits) return at + 1;
      // The byte belongs to what comes behind the number.
      if (isLimit()) endLimit(positiveInteger());
      end(at);
      return at;
    case Next.FractionDigit:
      if (!hasDigit) break;
      next = Next.FractionDigits;
      return at + 1;
    case Next.ExponentSign:
      if (byte == PLUS || byte == MINUS) {
        next = Next.ExponentDigit;
        return at + 1;
      }
    case Next.ExponentDigit:
      if (!hasDigit) break;
      next = Next.ExponentDigits;
      return at + 1;
  }
  fail(Problem.Unexpected, offset(at));
  return at;
}
