/**
 * Validates one JSON text that comes in pieces (RFC 8259, at most 1000 levels deep), and finds the top-level `model` and
 * `stream` in the same pass. UTF-8 is somebody else's business, and so is what the places found mean.
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
  M,
  MINUS,
  N,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  RETURN,
  S,
  SMALL,
  SPACE,
  T,
  TAB,
  U,
  ZERO,
} from './bytes';
import { skipBlocks, skipPlain } from './strings';

/** Where `finish` puts what was found: eight numbers of 32 bits, which `src/reading/json-scanner.factory.ts` reads in this order. */
export const FOUND: usize = memory.data(32, 4);

// What is found.

let problem: Problem = Problem.None;
/** Where, in bytes from the beginning. */
let problemAt: i32 = 0;
let isObject: bool = false;
/** How many top-level keys spell `model`, with or without escapes. */
let models: i32 = 0;
/** Where the last one's value begins and ends, in bytes. */
let start: i32 = 0;
let end: i32 = 0;
let isModelString: bool = false;
/** Whether the last top-level `stream` is `true`. */
let stream: bool = false;

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
const ODEL: i64 = 0x6c65646f;
const TREAM: i64 = 0x6d61657274;

const MAX_DEPTH: i32 = 1000;

/** The byte that closes each open container. */
const CLOSERS: usize = memory.data(1002);
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

const enum Name {
  None,
  Model,
  Stream,
}

/** What a string is. */
const enum Role {
  Value,
  Key,
  /** Of the outermost object: it is compared with the names. */
  TopKey,
}

let next: Next = Next.Value;
let depth: i32 = 0;
let role: Role = Role.Value;
/** How many bytes came in earlier pieces. */
let base: i32 = 0;
/** Of the value that is being read, if it is one of the outermost object. */
let valueAt: i32 = 0;
let valueByte: i32 = 0;
/** The name that the top-level key spells so far, and in how many units. */
let name: Name = Name.None;
let nameUnits: i32 = 0;
let escapeAt: i32 = 0;
let hexDigits: i32 = 0;
let hexValue: i32 = 0;
/** The rest of `true`, `false` or `null`: the next byte lowest. */
let literal: u32 = 0;

export function begin(): void {
  problem = Problem.None;
  isObject = false;
  models = 0;
  isModelString = false;
  stream = false;
  name = Name.None;
  next = Next.Value;
  depth = 0;
  base = 0;
}

/** Reads the next `length` bytes, which are at `PIECE`. */
export function read(length: i32): void {
  if (problem == Problem.None) readFrom(PIECE, PIECE + <usize>length);
  base += length;
}

export function finish(): void {
  if (problem == Problem.None) checkEnd();
  store<i32>(FOUND, problem, 0);
  store<i32>(FOUND, problemAt, 4);
  store<i32>(FOUND, isObject, 8);
  store<i32>(FOUND, models, 12);
  store<i32>(FOUND, start, 16);
  store<i32>(FOUND, end, 20);
  store<i32>(FOUND, isModelString, 24);
  store<i32>(FOUND, stream, 28);
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

function readFrom(from: usize, to: usize): void {
  let at = from;
  while (at < to) {
    switch (next) {
      case Next.String: {
        at = readString(at, to);
        break;
      }
      case Next.Value:
      case Next.ValueOrClose: {
        at = skipSpace(at, to);
        if (at == to) return;
        const byte = load<u8>(at);
        if (byte == CLOSE_BRACKET && next == Next.ValueOrClose) {
          at += 1;
          close(at);
        } else {
          at = beginValue(at, byte);
        }
        break;
      }
      case Next.KeyOrClose:
      case Next.Key: {
        at = skipSpace(at, to);
        if (at == to) return;
        const byte = load<u8>(at);
        if (byte == QUOTE) {
          at += 1;
          role = Role.Key;
          if (depth == 1) {
            role = Role.TopKey;
            name = Name.None;
            nameUnits = 0;
          }
          next = Next.String;
        } else if (byte == CLOSE_BRACE && next == Next.KeyOrClose) {
          at += 1;
          close(at);
        } else {
          return fail(Problem.Unexpected, offset(at));
        }
        break;
      }
      case Next.Colon: {
        at = skipSpace(at, to);
        if (at == to) return;
        if (load<u8>(at) != COLON) return fail(Problem.Unexpected, offset(at));
        at += 1;
        next = Next.Value;
        break;
      }
      case Next.CommaOrClose: {
        at = skipSpace(at, to);
        if (at == to) return;
        const byte = load<u8>(at);
        if (depth == 0) return fail(Problem.Unexpected, offset(at));
        const closer = load<u8>(CLOSERS + depth);
        at += 1;
        if (byte == COMMA) next = closer == CLOSE_BRACE ? Next.Key : Next.Value;
        else if (byte == closer) close(at);
        else return fail(Problem.Unexpected, offset(at - 1));
        break;
      }
      case Next.Escape: {
        at = readEscape(at);
        break;
      }
      case Next.Hex: {
        at = readHex(at);
        break;
      }
      case Next.Literal: {
        if (load<u8>(at) != (literal & 0xff)) return fail(Problem.Unexpected, offset(at));
        at += 1;
        literal >>= 8;
        if (literal == 0) endValue(at);
        break;
      }
      default:
        at = readNumber(at);
    }
    if (problem != Problem.None) return;
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

function beginValue(at: usize, byte: u8): usize {
  if (depth == 1) {
    valueAt = offset(at);
    valueByte = byte;
  }
  switch (byte) {
    case QUOTE:
      role = Role.Value;
      next = Next.String;
      break;
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
  return at + 1;
}

function open(at: usize, closer: u8): void {
  if (depth == MAX_DEPTH) {
    fail(Problem.TooDeep, offset(at));
    return;
  }
  depth += 1;
  store<u8>(CLOSERS + depth, closer);
}

function close(at: usize): void {
  depth -= 1;
  endValue(at);
}

/** @param at behind its last byte. */
function endValue(at: usize): void {
  next = Next.CommaOrClose;
  if (depth == 1 && name != Name.None) endTopValue(at);
}

function endTopValue(at: usize): void {
  if (!isObject) return;
  if (name == Name.Model) {
    models += 1;
    start = valueAt;
    end = offset(at);
    isModelString = valueByte == QUOTE;
  } else {
    stream = valueByte == T;
  }
  name = Name.None;
}

/** Up to the string's end, the end of the piece, or an escape that the piece may cut. */
function readString(from: usize, to: usize): usize {
  return role == Role.TopKey ? readTopKey(from, to) : readUnspelled(from, to);
}

function readTopKey(from: usize, to: usize): usize {
  for (let at = from; at < to; at += 1) {
    const byte = load<u8>(at);
    if (byte == QUOTE) {
      if (nameUnits != (name == Name.Model ? 5 : 6)) name = Name.None;
      next = Next.Colon;
      return at + 1;
    }
    if (byte == BACKSLASH) return beginEscape(at);
    if (byte < SPACE) {
      fail(Problem.Unexpected, offset(at));
      return at;
    }
    spell(byte);
  }
  return to;
}

function readUnspelled(from: usize, to: usize): usize {
  let at = from;
  while (true) {
    at = skipPlain(at, to);
    if (at < to && load<u8>(at) == BACKSLASH) at = skipBlocks(at, to);
    if (at == to) return at;
    const byte = load<u8>(at);
    if (byte == QUOTE) {
      at += 1;
      if (role == Role.Value) endValue(at);
      else next = Next.Colon;
      return at;
    }
    if (byte != BACKSLASH) {
      if (byte >= SPACE) continue;
      fail(Problem.Unexpected, offset(at));
      return at;
    }
    if (at + 6 > to) return beginEscape(at);
    const letter = load<u8>(at + 1);
    if (isSimpleEscape(letter)) {
      at += 2;
    } else if (letter == U && areHex(load<u32>(at + 2))) {
      at += 6;
    } else {
      fail(Problem.BadEscape, offset(at));
      return at;
    }
  }
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
    spell(0);
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
    spell(hexValue);
    next = Next.String;
  }
  return at + 1;
}

/** One more UTF-16 unit of a key; bytes outside ASCII may stand for themselves, since no name has any. */
function spell(unit: i32): void {
  if (role != Role.TopKey) return;
  if (nameUnits == 0) name = unit == M ? Name.Model : unit == S ? Name.Stream : Name.None;
  else if (name == Name.Model && unit != unitOf(ODEL, nameUnits)) name = Name.None;
  else if (name == Name.Stream && unit != unitOf(TREAM, nameUnits)) name = Name.None;
  nameUnits += 1;
}

/** @param rest of a name behind its first letter: the next letter lowest. */
function unitOf(rest: i64, units: i32): i32 {
  return units > 5 ? 0 : <i32>((rest >> ((units - 1) << 3)) & 0xff);
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
      endValue(at);
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
