import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Refusal } from '../openai/refusal-kind.js';
import { canExplain, MAX_REFUSAL_BYTES, refusalOf } from './refusal.js';

const TOO_LONG = "This model's maximum context length is 40960 tokens. However, you requested 50000 tokens.";
const NO_PICTURES = 'Qwen/Qwen3-32B is not a multimodal model';

function bytesOf(body: unknown): Buffer {
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** What a refusal of this status is about if its words are not recognised. */
function otherwise(status: number): Refusal | undefined {
  return [401, 402, 429].includes(status) ? 'account' : undefined;
}

/** An engine's error as Chutes hands it on. */
function nested(message: string): unknown {
  const error = { message, type: 'BadRequestError', param: null, code: 400 };
  return { detail: `Invalid request: Invalid request: ${JSON.stringify({ detail: { error } })}` };
}

describe('how detail begins', () => {
  const rows: [number, string, Refusal][] = [
    [500, 'exhausted all available targets to no avail', 'model'],
    [500, 'No infrastructure available to serve request', 'model'],
    [500, 'No result returned from upstream', 'model'],
    [500, 'Unhandled exception during chute invocation', 'model'],
    [404, 'model not found: a/b', 'model'],
    [404, 'No matching chute found!', 'model'],
    [402, "Chute unavailable because the creator's balance is empty", 'model'],
    [426, 'This chute does not have TEE enabled.', 'model'],
    [429, 'Infrastructure is at maximum capacity, try again later', 'capacity'],
    [429, 'no_targets', 'capacity'],
  ];

  test.each(rows)('ATT-45, ATT-46: %i %s', (status, detail, refusal) => {
    for (const text of [detail, detail.toUpperCase(), detail.toLowerCase()]) {
      expect(refusalOf(status, bytesOf({ detail: text }))).toBe(refusal);
      expect(refusalOf(status, bytesOf({ detail: { message: text, since: 1 } }))).toBe(refusal);
    }
  });

  test.each(rows)(
    'ATT-45: not in the middle of a sentence, elsewhere, or with another status: %i %s',
    (...row) => {
      const [status, detail] = row;
      const decoys = [
        { detail: `Your prompt was: ${detail}` },
        { detail: `"${detail}"` },
        { detail: ` ${detail}` },
        { detail: { reason: detail } },
        { detail: [detail] },
        { message: detail },
        { error: { message: detail } },
        { details: detail },
        { detail: 'Internal server error', input: detail },
        nested(detail),
        detail,
        `<html><body>{"detail":"${detail}"}</body></html>`,
      ];
      for (const decoy of decoys) expect(refusalOf(status, bytesOf(decoy))).toBe(otherwise(status));
      for (const other of [400, 401, 403, 413, 418, 422, 502]) {
        expect(refusalOf(other, bytesOf({ detail }))).toBe(otherwise(other));
      }
    },
  );
});

describe('what an engine cannot do of a request', () => {
  test.each([
    ['ATT-47', TOO_LONG, 'context'],
    [
      'ATT-47',
      "Requested token count exceeds the model's maximum context length of 40960 tokens.",
      'context',
    ],
    ['ATT-47', 'Requested token count exceeds what there is', 'context'],
    ['ATT-47', 'Input length 50000 tokens exceeds maximum 40960 tokens', 'context'],
    ['ATT-47', 'Input length (50000 tokens) exceeds the maximum allowed length (40954 tokens).', 'context'],
    [
      'ATT-47',
      "The input (50000 tokens) is longer than the model's context length (40960 tokens).",
      'context',
    ],
    ['ATT-48', NO_PICTURES, 'ability'],
    ['ATT-48', 'The model does not support image input', 'ability'],
    [
      'ATT-48',
      '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      'ability',
    ],
    ['ATT-48', 'Start it with --tool-call-parser', 'ability'],
    ['ATT-48', 'This tool choice requires a parser', 'ability'],
    ['ATT-48', 'a/b does not support tools', 'ability'],
  ] as const)('%s, ATT-49: %s', (_clause, message, refusal) => {
    for (const text of [message, `Sorry: ${message}!`, message.toUpperCase(), message.toLowerCase()]) {
      const bodies = [
        { detail: text },
        { detail: { message: text } },
        { error: { message: text, type: 'BadRequestError', code: 400 } },
        { error: text },
        { object: 'error', message: text, code: 400 },
        nested(text),
        { detail: `Invalid request: ${JSON.stringify({ object: 'error', message: text, code: 400 })}` },
      ];
      for (const body of bodies) expect(refusalOf(400, bytesOf(body))).toBe(refusal);
      for (const status of [402, 404, 413, 422, 429, 500]) {
        expect(['context', 'ability']).not.toContain(refusalOf(status, bytesOf(nested(text))));
      }
    }
  });

  test('ATT-47: the code context_length_exceeded, whatever the words', () => {
    const error = { message: 'Too much.', code: 'context_length_exceeded' };
    expect(refusalOf(400, bytesOf({ error }))).toBe('context');
    expect(refusalOf(400, bytesOf({ detail: `Invalid: ${JSON.stringify({ error })}` }))).toBe('context');
    expect(refusalOf(400, bytesOf({ error: { ...error, code: 'invalid_value' } }))).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['another reason', { detail: 'Invalid request body: not valid JSON.' }],
    ['the words in another order', { detail: 'exceeds the input length' }],
    ['a prompt that is repeated beside the message', { error: { message: 'Bad content', input: TOO_LONG } }],
    ['one that FastAPI repeats', { detail: [{ msg: 'Input should be a valid string', input: TOO_LONG }] }],
    [
      'one that is repeated as JSON',
      { detail: `Bad: ${JSON.stringify({ messages: [{ content: NO_PICTURES }] })}` },
    ],
    [
      'one that vLLM repeats as Python',
      {
        object: 'error',
        message: `[{'type': 'string_type', 'msg': 'Bad', 'input': '${TOO_LONG}'}]`,
        code: 400,
      },
    ],
    [
      'one that pydantic repeats',
      { detail: `1 validation error [type=int_type, input_value='${NO_PICTURES}']` },
    ],
    ['a request that is repeated', { request: { messages: [{ content: TOO_LONG }] }, detail: 'Bad content' }],
  ])('ATT-47, ATT-48: not %s', (_, body) => {
    expect(refusalOf(400, bytesOf(body))).toBeUndefined();
  });
});

describe('what is not recognised', () => {
  const capacity = readFileSync('testdata/chutes_live/chat_capacity_429_undated.json');

  test('ATT-46: the captured refusals are', () => {
    expect(refusalOf(429, capacity)).toBe('capacity');
    expect(
      refusalOf(429, readFileSync('testdata/chutes_live/chat_unauthenticated_429_2026-02-18.html')),
    ).toBe('account');
    expect(refusalOf(401, readFileSync('testdata/chutes_live/chat_invalid_token_401_2026-02-18.json'))).toBe(
      'account',
    );
  });

  test.each<[string, Buffer | undefined]>([
    ['no more than a part of the body', undefined],
    ['an empty body', Buffer.alloc(0)],
    ['a compressed one', gzipSync(bytesOf({ detail: TOO_LONG }))],
    ['half of one', bytesOf({ detail: TOO_LONG }).subarray(0, -2)],
    ['broken JSON', bytesOf(`{"detail":"${TOO_LONG}",}`)],
    ['a list', bytesOf([{ detail: TOO_LONG }])],
    ['32 KiB', bytesOf({ detail: TOO_LONG, filler: 'x'.repeat(32 * 1024) })],
  ])('ATT-50: %s', (_, body) => {
    expect(refusalOf(400, body)).toBeUndefined();
    expect(refusalOf(500, body)).toBeUndefined();
    expect(refusalOf(429, body)).toBe('account');
    expect(refusalOf(402, body)).toBe('account');
  });

  test.each([
    [0, 'context'],
    [1, undefined],
  ])('ATT-50: a body of 16 KiB and %i bytes: %s', (more, refusal) => {
    const length = MAX_REFUSAL_BYTES - bytesOf({ detail: TOO_LONG, x: '' }).length + more;
    expect(refusalOf(400, bytesOf({ detail: TOO_LONG, x: 'x'.repeat(length) }))).toBe(refusal);
  });

  test.each([400, 402, 404, 426, 429, 500])('ATT-50: a %i can explain itself', (status) => {
    expect(canExplain(status)).toBe(true);
  });

  test.each([200, 302, 401, 403, 413, 422, 501, 502, 503, 504])('ATT-50: a %i is not read', (status) => {
    expect(canExplain(status)).toBe(false);
  });

  test('ATT-51: takes no time, whatever the message repeats', () => {
    const body = bytesOf({ detail: 'input length '.repeat(1_200) });
    const startedAt = performance.now();
    for (let n = 0; n < 100; n += 1) expect(refusalOf(400, body)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
