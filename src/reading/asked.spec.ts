import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { apiErrorOf } from '../../test/support/api-error-of.js';
import { cut } from '../../test/support/cut.js';
import { spelled, spellingsOf } from '../../test/support/json-spellings.js';
import { ApiError } from '../openai/api-error.js';
import { MAX_MODEL_BYTES } from '../openai/model-limit.js';
import { type Asked, readAsked, withModel } from './asked.js';

const read = (json: string) => readAsked(cut(Buffer.from(json), 10_000));
const errorOf = (json: string | Buffer) => apiErrorOf(() => readAsked(cut(Buffer.from(json), 10_000)));

/** However a body is cut, the same has to come of it. */
const SIZES = [1, 7, 10_000];

/** `undefined` for a body that is accepted, otherwise the error's code. */
function refusalOf(body: Buffer): string | undefined {
  const refusals = SIZES.map((size) => refusalOfPieces(cut(body, size)));
  if (new Set(refusals).size > 1) throw new Error(`It depends on the pieces: ${refusals.join(', ')}.`);
  return refusals[0];
}

function refusalOfPieces(pieces: readonly Buffer[]): string | undefined {
  try {
    readAsked(pieces);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
}

/** What the specification says of a body, by way of `JSON.parse`; for bodies that do not repeat `model`. */
function expectedRefusalOf(body: Buffer): string | undefined {
  if (!isUtf8(body)) return 'invalid_json';
  let root: unknown;
  try {
    root = JSON.parse(body.toString());
  } catch {
    return 'invalid_json';
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return 'invalid_body';
  const { model } = root as { model?: unknown };
  return typeof model === 'string' && model !== '' ? undefined : 'missing_model';
}

describe('what is found', () => {
  test('REQ-11: the model, its place and whether to stream', () => {
    const first = { model: 'a/b', stream: true, start: 9, end: 14 };
    expect(read('{"model":"a/b","stream":true}')).toMatchObject(first);
    const second = { model: 'é', stream: false, start: 13, end: 17 };
    expect(read(' { "model" : "é" } ')).toMatchObject(second);
  });

  test.each([
    ['{"model":"m"}', false],
    ['{"model":"m","stream":true}', true],
    ['{"stream":true,"model":"m"}', true],
    ['{"model":"m","stream":false}', false],
    ['{"model":"m","stream":"true"}', false],
    ['{"model":"m","stream":[true]}', false],
    ['{"model":"m","stream":1}', false],
    ['{"model":"m","Stream":true}', false],
    ['{"model":"m","stream ":true}', false],
    ['{"model":"m","stream":true,"stream":false}', false],
    ['{"model":"m","stream":null,"stream" : true}', true],
    ['{"model":"m","\\u0073tr\\u0065am":true}', true],
    ['{"model":"m","stream":true,"\\u0073tream":0}', false],
    ['{"model":"m","stream_options":{"stream":true},"a":[{"stream":true}]}', false],
  ])('REQ-11: %s streams: %j', (json, stream) => {
    expect(read(json).stream).toBe(stream);
  });

  test.each([
    ['{"\\u006dodel":"m"}', 'm'],
    ['{"\\u006D\\u006f\\u0064\\u0065\\u006C":"m"}', 'm'],
    ['{"model":"\\u006d\\/\\n\\"\\\\"}', 'm/\n"\\'],
    ['{"model":"\\ud83d\\ude00 \\ud800"}', '😀 \ud800'],
    ['{"a":{"model":"x"},"b":[{"model":"y"}],"model":"m","c":"\\"model\\":\\"z\\""}', 'm'],
    ['{"mode":1,"models":2,"model\\u0000":3,"\\"model":4,"\\\\u006dodel":5,"":6,"model":"m"}', 'm'],
  ])('REQ-10: keys and value are read as JSON reads them: %s', (json, model) => {
    expect(read(json).model).toBe(model);
  });

  test('REQ-15: a model of 8 KiB is read, in its longest spelling, too', () => {
    const value = '\\u0061'.repeat(MAX_MODEL_BYTES);
    expect(read(`{"model":"${value}"}`).model).toBe('a'.repeat(MAX_MODEL_BYTES));
  });

  test.each([
    ['a letter more', '\\u0061'.repeat(MAX_MODEL_BYTES + 1)],
    ['a byte more than the longest spelling', 'a'.repeat(6 * MAX_MODEL_BYTES + 1)],
    ['more than is in one piece', 'é'.repeat(1 << 20)],
  ])('REQ-15: a model of %s is refused', (_, value) => {
    const body = Buffer.from(`{"model":"${value}"}`);
    expect(refusalOfPieces(cut(body, 100_000))).toBe('invalid_model');
  });

  test('REQ-15: what a long model would be is not decoded to refuse it', () => {
    const body = Buffer.alloc(64 << 20, 'a');
    body.write('{"model":"');
    body.write('"}', body.length - 2);
    const before = process.memoryUsage();
    expect(refusalOfPieces([body])).toBe('invalid_model');
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8 << 20);
    expect(after.external - before.external).toBeLessThan(8 << 20);
  });

  test('REQ-12: only the value of the model is replaced, the rest is the same memory', () => {
    const body = Buffer.from(
      '{ "n": [1.0, 1e400, 9007199254740993, -0], "model" : "a\\u002fb" ,"n":"\\u00E9" }\r\n',
    );
    const pieces = withModel([body], readAsked([body]), 'x"\ud800');
    expect(Buffer.concat(pieces).toString()).toBe(
      '{ "n": [1.0, 1e400, 9007199254740993, -0], "model" : "x\\"\\ud800" ,"n":"\\u00E9" }\r\n',
    );
    expect([pieces.at(0)?.buffer, pieces.at(-1)?.buffer]).toEqual([body.buffer, body.buffer]);
  });
});

describe('what is refused', () => {
  test.each([
    '',
    ' ',
    '{',
    '{"model":"m"',
    '{"model":"m",}',
    '{,"model":"m"}',
    '{"model":"m"}}',
    '{"model":"m"} {}',
    '{"model":"m"}\0',
    '{"model":"m"}\u00a0',
    '{"model" "m"}',
    '{"model":}',
    '{"model":"m";}',
    '{model:"m"}',
    "{'model':'m'}",
    '{"model":"m" /* why */}',
    '{"model":"m","a":[1,]}',
    '{"model":"m","a":[1}}',
    '{"model":"m","a":{"b":1]}',
    '{"model":"m","a":NaN}',
    '{"model":"m","a":Infinity}',
    '{"model":"m","a":undefined}',
    '{"model":"m","a":True}',
    '{"model":"m","a":tru}',
    '{"model":"m","a":nulll}',
    '{"model":"m","a":01}',
    '{"model":"m","a":-}',
    '{"model":"m","a":+1}',
    '{"model":"m","a":.5}',
    '{"model":"m","a":1.}',
    '{"model":"m","a":1e}',
    '{"model":"m","a":1e+}',
    '{"model":"m","a":0x1}',
    '{"model":"m\n"}',
    '{"model":"m","a":"\t"}',
    '{"model":"m","a":"\\x41"}',
    '{"model":"m","a":"\\u12g4"}',
    '{"model":"m","a":"\\u123"}',
    '{"model":"m","a":"\\U0041"}',
    '{"model":"m","a":"\\',
    '[1',
    'nul',
    '"m',
  ])('REQ-5: not JSON: %j', (json) => {
    expect(errorOf(json)).toMatchObject({ code: 'invalid_json', status: 400, param: null });
  });

  test.each([
    ['a byte order mark', '\ufeff{"model":"m"}'],
    ['a byte that is never UTF-8', Buffer.from('{"model":"m\xff"}', 'latin1')],
    ['a character cut short', Buffer.from('{"model":"m\xe2\x82"}', 'latin1')],
    ['an overlong encoding', Buffer.from('{"model":"\xc1\xad"}', 'latin1')],
    ['an encoded surrogate', Buffer.from('{"model":"\xed\xa0\x80"}', 'latin1')],
    ['UTF-16', Buffer.from('{"model":"m"}', 'utf16le')],
  ])('REQ-6: %s', (_, body) => {
    expect(errorOf(body).code).toBe('invalid_json');
  });

  const ARRAY = ['[', ']'] as const;
  const OBJECT = ['{"a": ', '}'] as const;
  test.each([
    ['arrays', [ARRAY]],
    ['objects', [OBJECT]],
    ['arrays and objects', [OBJECT, ARRAY, ARRAY]],
  ])('REQ-7: %s are accepted 1000 deep and not deeper', (_, kinds) => {
    const nested = (depth: number) => {
      const pairs = Array.from(
        { length: depth - 1 },
        (_value, level) => kinds[level % kinds.length] ?? ARRAY,
      );
      const [opening, closing] = [pairs.map(([open]) => open), pairs.map(([, close]) => close).toReversed()];
      return `{"model":"m","a":${opening.join('')}1${closing.join('')}}`;
    };
    expect(read(nested(1000)).model).toBe('m');
    expect(errorOf(nested(1001)).code).toBe('invalid_json');
  });

  test('REQ-7: depth is counted for a root of any kind, and for what is open only', () => {
    expect(errorOf('['.repeat(1000) + ']'.repeat(1000)).code).toBe('invalid_body');
    expect(errorOf('['.repeat(1001) + ']'.repeat(1001)).code).toBe('invalid_json');
    expect(read(`{"model":"m","a":[${'[[]],{},'.repeat(2000)}0]}`).model).toBe('m');
  });

  test.each(['[]', '[{"model":"m"}]', '"model"', 'true', 'false', ' null ', '-1.5E-7', '0'])(
    'REQ-8: the root is no object: %s',
    (json) => {
      expect(errorOf(json)).toMatchObject({ code: 'invalid_body', status: 400, param: null });
    },
  );

  test.each([
    '{}',
    ' { } ',
    '{"a":{"model":"m"}}',
    '{"Model":"m"}',
    '{"model":""}',
    '{"model":null}',
    '{"model":1}',
    '{"model":true}',
    '{"model":["m"]}',
    '{"model":{"model":"m"}}',
  ])('REQ-9: no model: %s', (json) => {
    expect(errorOf(json)).toMatchObject({ code: 'missing_model', status: 400, param: 'model' });
  });

  test.each([
    '{"model":"m","model":"m"}',
    '{"model":"m","a":1,"\\u006dodel":"n"}',
    '{"mod\\u0065l":"m","mode\\u006C":"n"}',
    '{"model":null,"model":""}',
    '{"model":"a","model":"b","model":"c"}',
  ])('REQ-10: two models: %s', (json) => {
    expect(errorOf(json)).toMatchObject({ code: 'duplicate_model', status: 400, param: 'model' });
  });

  test('REQ-5: that it is not JSON comes before anything else that is wrong', () => {
    expect(errorOf('{"model":1,"model":2').code).toBe('invalid_json');
    expect(errorOf('[1,2').code).toBe('invalid_json');
  });

  test.each([
    ['nothing', '', 'it is empty'],
    ['a stray character', '{"model":"secret" "secret"}', 'there is an unexpected character at byte 18'],
    ['a bad escape', '{"model":"secret\\q"}', 'there is a bad escape at byte 16'],
    ['an early end', '{"model":"secret', 'it ends too early at byte 16'],
    ['too much depth', '['.repeat(1001), 'it is nested more than 1000 deep at byte 1000'],
    ['bad UTF-8', Buffer.from('secret\xff', 'latin1'), 'it is not valid UTF-8'],
  ])('REQ-5, ERR-2: the message names %s and its place, and quotes nothing', (_, body, reason) => {
    expect(errorOf(body).message).toBe(`The request body is not valid JSON: ${reason}.`);
  });
});

const space = fc.constantFrom('', '', '', ' ', '\n', '\t\t', '\r\n  ');
const padded = (text: fc.Arbitrary<string>) => fc.tuple(space, text, space).map((parts) => parts.join(''));

const char = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  fc.constantFrom(...Array.from('"\\/\b\f\n\r\t\0\x1f !#[]\x7fmé“😀\ud800\udfff')),
);
const string = fc
  .array(
    fc.tuple(char, fc.nat()).map(([one, choice]) => spellingsOf(one).at(choice % spellingsOf(one).length)),
    { maxLength: 12 },
  )
  .map((chars) => `"${chars.join('')}"`);
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '0.10', '1e400', '-1E-400', '2e+3', '9007199254740993'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const { member } = fc.letrec<{ value: string; member: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('true', 'false', 'null'),
    number,
    string,
    fc.array(padded(tie('value')), { maxLength: 4 }).map((values) => `[${values.join(',')}]`),
    fc.array(tie('member'), { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
  ),
  member: fc
    .tuple(padded(fc.oneof(string, spelled('model'), spelled('stream'))), padded(tie('value')))
    .map((parts) => parts.join(':')),
}));
const otherMembers = fc.array(
  member.filter((text) => !('model' in (JSON.parse(`{${text}}`) as object))),
  { maxLength: 4 },
);

/** A request in any spelling: what stands before the value of `model`, the value, and what stands behind it. */
const request = fc
  .tuple(
    space,
    otherMembers,
    padded(spelled('model')),
    space,
    string.filter((text) => text !== '""'),
    space,
    otherMembers,
    space,
  )
  .map(([margin, front, key, gap, model, rest, back, end]) => ({
    before: `${margin}{${front.map((text) => `${text},`).join('')}${key}:${gap}`,
    model,
    after: `${rest}${back.map((text) => `,${text}`).join('')}}${end}`,
  }));

describe('any request', () => {
  test('REQ-11, REQ-12: is read as JSON.parse reads it, and keeps every byte but those of the model', () => {
    fc.assert(
      fc.property(request, fc.string({ unit: 'binary' }), ({ before, model, after }, replacement) => {
        const body = Buffer.from(before + model + after);
        const root = JSON.parse(body.toString()) as { model: string; stream?: unknown };
        const start = Buffer.byteLength(before);
        const bodies = SIZES.map((size) => cut(body, size));
        const fields = bodies.map(readAsked);
        const field = fields[0] as Asked;
        expect(new Set(fields.map((each) => JSON.stringify(each))).size).toBe(1);
        expect(field).toMatchObject({
          model: root.model,
          stream: root.stream === true,
          start,
          end: start + Buffer.byteLength(model),
        });

        const [replaced, ...others] = bodies.map((pieces) =>
          Buffer.concat(withModel(pieces, field, replacement)),
        );
        expect(others).toEqual(others.map(() => replaced));
        expect(replaced).toEqual(Buffer.from(before + JSON.stringify(replacement) + after));
        expect(JSON.parse(String(replaced))).toEqual({ ...root, model: replacement });
      }),
      { numRuns: 300 },
    );
  });
});

const CORPUS = [
  '{"model":"a/b","stream":true,"messages":[{"role":"user","content":"Hi “you”\\n\\u00e9\\ud83D\\uDE00\\"\\\\/"}]}',
  ' {\t"a" : [ -0.5e+10 , 1E400, 0, [ ], { } ,null,false ] ,\r\n "model" : "m" } \n',
  '[[{"a":[1,{"b":"c"}]},"\\b\\f\\r\\t"],-1]',
  '"é\\u0041😀"',
].map((json) => Buffer.from(json));

function* truncations(): Generator<Buffer> {
  for (const body of CORPUS) {
    for (let length = 0; length <= body.length; length += 1) yield body.subarray(0, length);
  }
}

function* singleByteChanges(): Generator<Buffer> {
  for (const original of CORPUS) {
    const body = Buffer.from(original);
    for (const [at, byte] of original.entries()) {
      for (let other = 0; other < 256; other += 1) {
        body[at] = other;
        yield body;
      }
      body[at] = byte;
    }
  }
}

function disagreements(bodies: Iterable<Buffer>): string[] {
  const found: string[] = [];
  for (const body of bodies) {
    if (refusalOf(body) !== expectedRefusalOf(body)) found.push(body.toString('latin1'));
  }
  return found;
}

describe('agreement with JSON.parse', () => {
  test('REQ-5, REQ-6: on every truncation', () => {
    expect(disagreements(truncations())).toEqual([]);
  });

  test('REQ-5, REQ-6: on every change of a single byte', () => {
    expect(disagreements(singleByteChanges())).toEqual([]);
  });

  test('REQ-5: on any request in which something was overwritten', () => {
    const characters = Array.from('{}[],:"\\u0e+-. \n\0a€');
    const token = fc.constantFrom(...characters, '\\u00', '[]', '{}', '"a":1', 'true', 'nul', '-1.5e3', '""');
    const patch = fc.array(token, { maxLength: 3 }).map((tokens) => tokens.join(''));
    fc.assert(
      fc.property(request, fc.nat(), fc.nat(4), patch, ({ before, model, after }, place, length, text) => {
        const whole = before + model + after;
        const at = place % whole.length;
        const body = Buffer.from(whole.slice(0, at) + text + whole.slice(at + length));
        expect([body.toString(), refusalOf(body)]).toEqual([body.toString(), expectedRefusalOf(body)]);
      }),
      { numRuns: 1000 },
    );
  });
});
