import { isUtf8 } from 'node:buffer';
import { ApiError } from '../openai/api-error.js';

/** What the router reads of a request body. */
export interface ModelField {
  readonly model: string;
  /** Whether the last top-level `stream` is `true`. */
  readonly stream: boolean;
  /** Where the value of `model` begins and ends, in bytes and with its quotes. */
  readonly start: number;
  readonly end: number;
}

const MAX_DEPTH = 1000;

/** What `byteAt` reads past the end. As a byte it is no more welcome anywhere in JSON than the end is. */
const NUL = 0;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const LOWER_A = 0x61;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The two bytes of `\u`. */
const UNICODE_ESCAPE = (BACKSLASH << 8) | LOWER_U;
const SIMPLE_ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

/**
 * Validates `body` as one JSON object in UTF-8 and finds its top-level `model` and `stream` in the same pass.
 * Throws `invalid_json`, `invalid_body`, `duplicate_model` or `missing_model`: the first of them that holds.
 */
export function readModelField(body: Buffer): ModelField {
  if (body.length === 0) throw ApiError.invalidJson('it is empty');
  if (!isUtf8(body)) throw ApiError.invalidJson('it is not valid UTF-8');

  const words = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const root = skipSpace(body, 0);
  if (byteAt(body, root) !== OPEN_BRACE) {
    expectEnd(body, skipValue(body, words, root, 0));
    throw ApiError.invalidBody();
  }

  let models = 0;
  let start = 0;
  let end = 0;
  let stream = false;
  let at = skipSpace(body, root + 1);
  if (byteAt(body, at) !== CLOSE_BRACE) {
    for (;;) {
      const key = at;
      const value = skipKey(body, words, key);
      at = skipValue(body, words, value, 1);
      if (spells(body, words, key, 'model')) {
        models += 1;
        start = value;
        end = at;
      } else if (spells(body, words, key, 'stream')) {
        stream = byteAt(body, value) === LOWER_T;
      }
      at = skipSpace(body, at);
      if (byteAt(body, at) !== COMMA) break;
      at = skipSpace(body, at + 1);
    }
    if (byteAt(body, at) !== CLOSE_BRACE) throw unexpected(body, at);
  }
  expectEnd(body, at + 1);

  if (models > 1) throw ApiError.duplicateModel();
  if (models === 0 || byteAt(body, start) !== QUOTE || end - start === 2) throw ApiError.missingModel();
  return { model: JSON.parse(body.toString('utf8', start, end)) as string, stream, start, end };
}

/** The bytes of `body` with `model` in place of the value of `field`; the client's own bytes are not copied. */
export function withModel(body: Buffer, field: ModelField, model: string): readonly Buffer[] {
  return [body.subarray(0, field.start), Buffer.from(JSON.stringify(model)), body.subarray(field.end)];
}

/** The byte that closes each open container. Reading is never interrupted, so one stack serves all requests. */
const closers = new Uint8Array(MAX_DEPTH + 1);

/** Skips the value at `start`, which lies inside `outer` containers, with all that is in it. */
function skipValue(body: Buffer, words: DataView, start: number, outer: number): number {
  let at = start;
  let depth = outer;
  for (;;) {
    const byte = byteAt(body, at);
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (depth === MAX_DEPTH)
        throw ApiError.invalidJson(`it is nested more than ${MAX_DEPTH} deep at byte ${at}`);
      depth += 1;
      // In ASCII both closing brackets come two places after the opening one.
      closers[depth] = byte + 2;
      at = skipSpace(body, at + 1);
      if (byteAt(body, at) !== closers[depth]) {
        if (byte === OPEN_BRACE) at = skipKey(body, words, at);
        continue;
      }
    } else {
      at = skipScalar(body, words, at);
    }
    for (;;) {
      if (depth === outer) return at;
      at = skipSpace(body, at);
      const next = byteAt(body, at);
      if (next === COMMA) break;
      if (next !== closers[depth]) throw unexpected(body, at);
      depth -= 1;
      at += 1;
    }
    at = skipSpace(body, at + 1);
    if (closers[depth] === CLOSE_BRACE) at = skipKey(body, words, at);
  }
}

function skipScalar(body: Buffer, words: DataView, start: number): number {
  switch (byteAt(body, start)) {
    case QUOTE:
      return skipString(body, words, start);
    case LOWER_T:
      return skipLiteral(body, start, 'true');
    case LOWER_F:
      return skipLiteral(body, start, 'false');
    case LOWER_N:
      return skipLiteral(body, start, 'null');
    default:
      return skipNumber(body, start);
  }
}

/** Skips a key and its colon, up to the value. */
function skipKey(body: Buffer, words: DataView, start: number): number {
  if (byteAt(body, start) !== QUOTE) throw unexpected(body, start);
  const at = skipSpace(body, skipString(body, words, start));
  if (byteAt(body, at) !== COLON) throw unexpected(body, at);
  return skipSpace(body, at + 1);
}

function skipString(body: Buffer, words: DataView, start: number): number {
  let at = skipPlain(body, words, start + 1);
  while (byteAt(body, at) === BACKSLASH) at = skipPlain(body, words, skipEscape(body, words, at));
  if (byteAt(body, at) !== QUOTE) throw unexpected(body, at);
  return at + 1;
}

/**
 * Skips to the next quote, backslash or control character, four bytes at a time: nearly all of a chat is skipped here.
 * An XOR with 2 puts the quote right behind the control characters, so that "less than 0x21" finds both; a borrow
 * out of a byte marks it in its top bit ("Bit Twiddling Hacks": a word that has a byte less than n). The first mark is exact.
 */
function skipPlain(body: Buffer, words: DataView, start: number): number {
  const lastWord = body.length - 4;
  for (let at = start; at <= lastWord; at += 4) {
    const word = words.getInt32(at, true);
    const marks =
      (((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & ~word & 0x80808080;
    if (marks !== 0) return at + ((31 - Math.clz32(marks & -marks)) >> 3);
  }
  return skipPlainTail(body, Math.max(start, body.length - 3));
}

function skipPlainTail(body: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const byte = byteAt(body, at);
    if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) return at;
    at += 1;
  }
}

/** Skips one escape, or a run of `\u` escapes: some clients spell every letter outside ASCII like that. */
function skipEscape(body: Buffer, words: DataView, start: number): number {
  if (SIMPLE_ESCAPES[byteAt(body, start + 1)] === 1) return start + 2;
  const last = body.length - 6;
  let at = start;
  while (at <= last && words.getUint16(at) === UNICODE_ESCAPE && isHex(words.getInt32(at + 2))) at += 6;
  if (at === start) throw ApiError.invalidJson(`there is a bad escape at byte ${at}`);
  return at;
}

/** Whether all four bytes are hexadecimal digits. */
function isHex(word: number): boolean {
  const digits = bytesBetween(word, ZERO, NINE);
  const letters = bytesBetween(word | 0x20202020, LOWER_A, LOWER_F);
  return (~(digits | letters) & 0x80808080) === 0;
}

/** Sets the top bit of each byte from `low` to `high`, both ASCII. Exact up to the first byte outside ASCII, which is never marked. */
function bytesBetween(word: number, low: number, high: number): number {
  return (word + (0x80 - low) * 0x01010101) & ~(word + (0x7f - high) * 0x01010101);
}

function skipNumber(body: Buffer, start: number): number {
  let at = byteAt(body, start) === MINUS ? start + 1 : start;
  at = byteAt(body, at) === ZERO ? at + 1 : skipDigits(body, at);
  if (byteAt(body, at) === DOT) at = skipDigits(body, at + 1);
  if (byteAt(body, at) === LOWER_E || byteAt(body, at) === UPPER_E) {
    const sign = byteAt(body, at + 1);
    at = skipDigits(body, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
  }
  return at;
}

function skipDigits(body: Buffer, start: number): number {
  let at = start;
  while (byteAt(body, at) >= ZERO && byteAt(body, at) <= NINE) at += 1;
  if (at === start) throw unexpected(body, at);
  return at;
}

function skipLiteral(body: Buffer, start: number, literal: string): number {
  for (let i = 1; i < literal.length; i += 1) {
    if (byteAt(body, start + i) !== literal.charCodeAt(i)) throw unexpected(body, start + i);
  }
  return start + literal.length;
}

function skipSpace(body: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const byte = byteAt(body, at);
    if (byte > SPACE || (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB)) return at;
    at += 1;
  }
}

/** Whether the key at `key`, which is known to be valid, spells `name`, with or without escapes. */
function spells(body: Buffer, words: DataView, key: number, name: string): boolean {
  let at = key + 1;
  for (let i = 0; i < name.length; i += 1) {
    const escaped = byteAt(body, at) === BACKSLASH && byteAt(body, at + 1) === LOWER_U;
    const unit = escaped ? hexValue(words, at + 2) : byteAt(body, at);
    if (unit !== name.charCodeAt(i)) return false;
    at += escaped ? 6 : 1;
  }
  return byteAt(body, at) === QUOTE;
}

function hexValue(words: DataView, start: number): number {
  let value = 0;
  for (let at = start; at < start + 4; at += 1) {
    const digit = words.getUint8(at);
    value = value * 16 + (digit & 0xf) + (digit > NINE ? 9 : 0);
  }
  return value;
}

/** The engine slows down for good once it has seen a read past the end, so none is ever made. */
function byteAt(body: Buffer, at: number): number {
  return at < body.length ? (body[at] as number) : NUL;
}

function expectEnd(body: Buffer, start: number): void {
  const at = skipSpace(body, start);
  if (at < body.length) throw unexpected(body, at);
}

function unexpected(body: Buffer, at: number): ApiError {
  return ApiError.invalidJson(
    at < body.length ? `there is an unexpected character at byte ${at}` : `it ends too early at byte ${at}`,
  );
}
