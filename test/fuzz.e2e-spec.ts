import { describe, expect, test } from '@jest/globals';
import * as asked from '../src/reading/asked.js';
import { conversationProblem } from './fuzz/answers.js';
import { shrunk } from './fuzz/bytes.js';
import type { Conversation } from './fuzz/conversation.js';
import { examine, type Reader } from './fuzz/reader.js';
import { expectedOf } from './fuzz/reader-oracle.js';
import { readResponse } from './support/raw-response.js';
import { runScript } from './support/run-script.js';

const { readAsked, withModel } = asked;
const SOUND: Reader = asked;

const conversation = (wire: string, rest: Partial<Conversation> = {}): Conversation => ({
  answers: wire === '' ? [] : [readResponse(Buffer.from(wire), undefined, false)],
  rest: Buffer.alloc(0),
  end: 'closed',
  manner: 'waits',
  ...rest,
});
const answer = (status: number, body: string) =>
  `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\nx-request-id: 1\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const error = (code: string) =>
  `{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"${code}"}}`;

/** A body whose root counts as the first of so many levels. */
const nested = (depth: number) =>
  Buffer.from(`{"model":"m","a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`);

describe('the fuzz of the reader', () => {
  test.each<[body: string, expected: unknown]>([
    ['{"model":"m","stream":true}', { model: 'm', stream: true }],
    ['{"model":"m","stream":true,"\\u0073tream":1}', { model: 'm', stream: false }],
    ['{"a":{"model":"x","stream":true},"model":"m"}', { model: 'm', stream: false }],
    [
      '{"model":"m","messages":[{"role":"user","content":[{"type":"image"}]}],"max_tokens":50e1}',
      { needs: 8, answerTokens: 500, conversationStart: 24, conversationEnd: 69, isToolResult: false },
    ],
    ['{"model":"m","\\u006dodel":"m"}', 'duplicate_model'],
    ['{"model":""}', 'missing_model'],
    ['[]', 'invalid_body'],
    ['{"model":"m"', 'invalid_json'],
  ])('PRJ-12: expects of %s what the specification says', (body, expected) => {
    expect({ outcome: expectedOf(Buffer.from(body)) }).toMatchObject({ outcome: expected });
  });

  test('PRJ-12: expects nesting of 1000 and no more', () => {
    expect(expectedOf(nested(1000))).toMatchObject({ model: 'm', stream: false });
    expect(expectedOf(nested(1001))).toBe('invalid_json');
  });

  test.each<[what: string, reader: Partial<Reader>]>([
    ['accepts too much', { readAsked: () => readAsked([Buffer.from('{"model":"m"}')]) }],
    [
      'accepts too little',
      {
        readAsked: () => {
          throw Object.assign(new Error(), { code: 'invalid_json' });
        },
      },
    ],
    ['fails in its own way', { readAsked: () => (undefined as unknown as Buffer).at(0) as never }],
    [
      'finds the wrong place',
      { readAsked: (body) => ({ ...readAsked(body), start: readAsked(body).start + 1 }) },
    ],
    ['reads another model', { readAsked: (body) => ({ ...readAsked(body), model: 'x' }) }],
    ['misses the stream', { readAsked: (body) => ({ ...readAsked(body), stream: false }) }],
    ['misses a need', { readAsked: (body) => ({ ...readAsked(body), needs: 0 }) }],
    ['counts other bytes', { readAsked: (body) => ({ ...readAsked(body), promptBytes: 62 }) }],
    ['misses a limit', { readAsked: (body) => ({ ...readAsked(body), answerTokens: 0 }) }],
    ['misses a result of a tool', { readAsked: (body) => ({ ...readAsked(body), isToolResult: false }) }],
    ['misses the conversation', { readAsked: (body) => ({ ...readAsked(body), conversationEnd: 0 }) }],
    ['misses the session', { readAsked: (body) => ({ ...readAsked(body), sessionStart: 1 }) }],
    [
      'changes more than the model',
      {
        withModel: (pieces, field, model) =>
          withModel([Buffer.from(Buffer.concat(pieces).toString().replace('1.0', '1'))], field, model),
      },
    ],
  ])('PRJ-12: reports a reader that %s', (_, reader) => {
    const sound =
      '{"model":"m","n":1.0,"stream":true,"tools":[1],"max_tokens":5,"session_id":"s",' +
      '"messages":[{"role":"user","content":[{"type":"tool_result"}]}]}';
    const bodies = [sound, '{"model":"m",}'].map((body) => Buffer.from(body));
    expect(bodies.map((body) => examine(SOUND, body).problem)).toEqual([undefined, undefined]);
    expect(bodies.map((body) => examine({ ...SOUND, ...reader }, body).problem ?? '').join('')).not.toBe('');
  });

  test('PRJ-12: shows the smallest body that fails', () => {
    const body = Buffer.from('{"model":"m","messages":[],"a":"\\x"}');
    expect(shrunk(body, (bytes) => bytes.includes('\\x')).toString()).toBe('\\x');
  });
});

describe('the fuzz of the router', () => {
  test.each([
    ['a close', conversation('')],
    ['an answer', conversation(answer(200, '{}'))],
    ['an error of the contract', conversation(answer(400, error('bad_request')), { end: 'open' })],
  ])('PRJ-13: takes %s for what it is', (_, sound) => {
    expect(conversationProblem(sound)).toBeUndefined();
  });

  test.each([
    ['no answer and no end', conversation('', { end: 'hung' })],
    ['an error that is not JSON', conversation(answer(400, 'Bad Request'))],
    ['an error without a code', conversation(answer(400, error('').replace(',"code":""', '')))],
    ['a code of another status', conversation(answer(400, error('not_found')))],
    ['a code of nobody', conversation(answer(400, error('odd')))],
    [
      'an internal error',
      conversation(answer(500, error('internal_error').replace('invalid_request', 'server'))),
    ],
    ['half an answer', conversation('', { rest: Buffer.from('HTTP/1.1 200 OK\r\n') })],
  ])('PRJ-13: reports %s', (_, odd) => {
    expect(conversationProblem(odd)).toEqual(expect.any(String));
  });
});

test('PRJ-13: reports an ambiguous request that is served', () => {
  const served = conversation(answer(200, '{}'));
  expect(conversationProblem(served, true)).toEqual(expect.any(String));
  expect(conversationProblem(conversation(answer(400, error('bad_request'))), true)).toBeUndefined();
});

test('PRJ-12, PRJ-13: a short fuzz finds nothing', async () => {
  const { code, output } = await runScript('test/fuzz/main.ts', ['--minutes', '0.05']);
  expect(output).toContain('every connection ended in answers of the contract or a close');
  expect(code).toBe(0);
}, 120_000);
