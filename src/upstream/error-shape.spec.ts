import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { saidBy, withError } from './error-shape.js';

const TOO_LONG = "This model's maximum context length is 40960 tokens.";

function errorIn(status: number, body: unknown): unknown {
  const shaped = withError(status, Buffer.from(JSON.stringify(body)));
  return shaped && (JSON.parse(shaped.toString()) as { error: unknown }).error;
}

describe('the error beside detail', () => {
  test.each<[number, unknown, object]>([
    [400, 'Bad content', { message: 'Bad content', type: 'invalid_request_error', code: null }],
    [
      400,
      `Invalid request: ${JSON.stringify({ detail: { error: { message: TOO_LONG } } })}`,
      { message: TOO_LONG, type: 'invalid_request_error', code: 'context_length_exceeded' },
    ],
    [400, 'a/b does not support tools', { type: 'invalid_request_error', code: 'unsupported_value' }],
    [
      401,
      'Invalid token.',
      { message: 'Invalid token.', type: 'invalid_request_error', code: 'invalid_api_key' },
    ],
    [
      402,
      { message: 'Quota exceeded', quota_reset_timestamp: 1 },
      { message: 'Quota exceeded', type: 'insufficient_quota', code: 'insufficient_quota' },
    ],
    [
      402,
      'Chute unavailable because the creator',
      { type: 'invalid_request_error', code: 'model_unavailable' },
    ],
    [403, 'No.', { type: 'invalid_request_error', code: null }],
    [
      404,
      'model not found: a/b',
      { message: 'model not found: a/b', type: 'invalid_request_error', code: 'model_not_found' },
    ],
    [404, 'Not Found', { type: 'invalid_request_error', code: null }],
    [
      426,
      'This chute does not have TEE enabled.',
      { type: 'invalid_request_error', code: 'model_unavailable' },
    ],
    [429, 'Free models limit reached for today', { type: 'rate_limit_error', code: 'rate_limit_exceeded' }],
    [
      429,
      'Infrastructure is at maximum capacity, try again later',
      { type: 'rate_limit_error', code: 'model_at_capacity' },
    ],
    [500, 'exhausted all available targets to no avail', { type: 'server_error', code: 'model_unavailable' }],
    [500, 'Internal server error.', { type: 'server_error', code: null }],
    [
      503,
      'No instances available (yet)',
      { message: 'No instances available (yet)', type: 'server_error', code: null },
    ],
    [
      422,
      [{ loc: ['query'], msg: 'Field required' }],
      { message: 'Field required', type: 'invalid_request_error' },
    ],
    [400, { reason: 7 }, { message: '{"reason":7}' }],
    [400, [], { message: '[]' }],
    [400, null, { message: 'The upstream answered with 400.' }],
    [500, '', { message: 'The upstream answered with 500.' }],
  ])('ERR-32: %i %j', (status, detail, error) => {
    expect(errorIn(status, { detail })).toMatchObject({ ...error, param: null });
  });

  test('ERR-31: all that was there stays as it was, byte for byte', () => {
    const before =
      '\u{feff} {\r\n  "n" : 1.0e400, "n":12345678901234567890,\t"detail" : "\\u00e9 é }",  "z":{"b":[ ]} ';
    const after = '} \n';
    const shaped = withError(400, Buffer.from(before + after))?.toString() ?? '';
    expect(shaped.startsWith(before)).toBe(true);
    expect(shaped.endsWith(after)).toBe(true);
    expect(shaped.slice(before.length, -after.length)).toMatch(/^,"error":\{"message":"é é \}",.*\}$/);
  });

  test('ERR-31: bytes that are not valid UTF-8 stay as they are, too', () => {
    const body = Buffer.concat([Buffer.from('{"detail":"'), Buffer.of(0xff, 0xc3), Buffer.from('"}')]);
    const shaped = withError(400, body) as Buffer;
    expect(shaped.subarray(0, body.length - 1)).toEqual(body.subarray(0, -1));
    expect(JSON.parse(shaped.toString())).toHaveProperty('error.type', 'invalid_request_error');
  });

  test('ERR-31: whatever else the body has, it is what it was plus an error', () => {
    const member = fc.dictionary(
      fc.string().filter((key) => key !== 'error'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(member, fc.jsonValue(), fc.integer({ min: 400, max: 599 }), (others, detail, status) => {
        const body = JSON.stringify({ ...others, detail });
        const { error, ...rest } = JSON.parse(
          (withError(status, Buffer.from(body)) as Buffer).toString(),
        ) as Record<string, unknown>;
        expect(JSON.stringify(rest)).toBe(JSON.stringify(JSON.parse(body)));
        expect(error).toEqual({
          message: expect.any(String),
          type: expect.any(String),
          param: null,
          code: (error as { code: unknown }).code,
        });
      }),
    );
  });
});

describe('nothing is added', () => {
  test.each([
    ['to an error of OpenAI’s shape', '{"error":{"message":"x"}}'],
    ['where there is an error already', '{"detail":"x","error":{}}'],
    ['where there is an error that is null', '{"detail":"x","error":null}'],
    ['to an engine’s own', '{"object":"error","message":"x"}'],
    ['to a list', '[{"detail":"x"}]'],
    ['to half a body', '{"detail":"x"'],
    ['to an empty one', ''],
    [
      'to a page of HTML',
      readFileSync('testdata/chutes_live/chat_unauthenticated_429_2026-02-18.html', 'utf8'),
    ],
    ['where detail is deeper down', '{"a":{"detail":"x"}}'],
  ])('ERR-31: %s', (_, body) => {
    expect(withError(400, Buffer.from(body))).toBeUndefined();
  });

  test.each([
    [16_384, true],
    [16_385, false],
  ])('ERR-31: to a body of %i bytes: %s', (length, isShaped) => {
    const body = Buffer.from(`{"detail":"${'x'.repeat(length - 13)}"}`);
    expect(body).toHaveLength(length);
    expect(withError(400, body) !== undefined).toBe(isShaped);
  });
});

describe('what an answer says as the error of an event', () => {
  const shaped = { type: 'invalid_request_error', param: null, code: null };

  test.each<[string, number, string, object]>([
    [
      'the members of its object',
      400,
      '{"detail":"No.","n":1}',
      { ...shaped, message: 'No.', detail: 'No.', n: 1 },
    ],
    [
      'those of its own error',
      429,
      '{"error":{"message":"Slow down.","type":"x","code":7},"n":1}',
      { message: 'Slow down.', type: 'x', param: null, code: 7 },
    ],
    [
      'an error that is a text',
      500,
      '{"error":"It broke."}',
      { ...shaped, message: 'It broke.', type: 'server_error' },
    ],
    [
      'the deepest message',
      400,
      '{"detail":{"error":{"message":"No."}}}',
      { ...shaped, message: 'No.', detail: { error: { message: 'No.' } } },
    ],
    ['a text', 403, '<html>No.</html>', { ...shaped, message: '<html>No.</html>' }],
    ['half a body', 400, '{"detail":"N', { ...shaped, message: '{"detail":"N' }],
    ['nothing', 502, '', { ...shaped, message: 'The upstream answered with 502.', type: 'server_error' }],
    [
      'what Chutes means by it',
      404,
      '{"detail":"model not found: x"}',
      { ...shaped, message: 'model not found: x', code: 'model_not_found', detail: 'model not found: x' },
    ],
    [
      'an answer',
      200,
      '{"choices":[]}',
      {
        ...shaped,
        message: 'The upstream answered with 200, but with no stream.',
        type: 'server_error',
        choices: [],
      },
    ],
  ])('ATT-74: %s', (_, status, body, expected) => {
    expect(saidBy(status, Buffer.from(body))).toEqual(expected);
  });
});
