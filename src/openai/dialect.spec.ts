import { describe, expect, test } from '@jest/globals';
import { ApiError } from './api-error.js';
import {
  anthropicErrorType,
  type Dialect,
  dialectOf,
  dialectOfTarget,
  errorBody,
  errorEvent,
  KEEP_ALIVE,
  upstreamErrorEvent,
} from './dialect.js';

const INTERRUPTED = ApiError.interrupted('upstream_stream_interrupted').toBody();
const { message } = INTERRUPTED.error;

test.each<[string, Dialect]>([
  ['/v1/chat/completions', 'openai'],
  ['/v1/completions', 'openai'],
  ['/v1/responses', 'responses'],
  ['/v1/responses/', 'openai'],
  ['/v1/messages', 'messages'],
  ['/v1/messages/count_tokens', 'messages'],
  ['/v1/messagesx', 'openai'],
])('ATT-62: clients of %s speak %s', (path, dialect) => {
  expect(dialectOf(path)).toBe(dialect);
});

test.each<[string, Dialect]>([
  ['/v1/messages?beta=true', 'messages'],
  ['/v1/messages/count_tokens', 'messages'],
  ['/v1/messages/batches', 'messages'],
  ['//v1/messages/', 'messages'],
  ['/V1/Messages', 'messages'],
  ['/v1/mess%61ges', 'messages'],
  ['http://router/v1/messages', 'messages'],
  ['/v1/v1/messages?beta=true', 'messages'],
  ['/anthropic/v1/messages/count_tokens', 'messages'],
  ['/v1/threads/thread_1/messages', 'openai'],
  ['/v1/responses/', 'responses'],
  ['/v1/%zz/messages', 'openai'],
  ['/messages?of=/v1/messages', 'openai'],
  ['/', 'openai'],
  ['*', 'openai'],
  ['', 'openai'],
])('ERR-30: whoever asks for %s speaks %s', (target, dialect) => {
  expect(dialectOfTarget(target)).toBe(dialect);
});

describe('an error event', () => {
  test('ATT-35, ATT-62: of OpenAI’s is the error alone', () => {
    expect(errorEvent('openai', INTERRUPTED)).toBe(`data: ${JSON.stringify(INTERRUPTED)}\n\n`);
  });

  test('ATT-62: of the Responses API has a name, and the error flat and as an object', () => {
    const [name, data = '', ...rest] = errorEvent('responses', INTERRUPTED).split('\n');
    expect([name, ...rest]).toEqual(['event: error', '', '']);
    expect(JSON.parse(data.slice('data: '.length))).toEqual({
      type: 'error',
      sequence_number: 0,
      code: 'upstream_stream_interrupted',
      message,
      param: null,
      error: INTERRUPTED.error,
    });
  });

  test.each([
    ['upstream_stream_interrupted', 'api_error'],
    ['upstream_idle_timeout', 'timeout_error'],
    ['shutting_down', 'overloaded_error'],
  ] as const)('ATT-62: of Anthropic’s has a name, and %s is its %s', (code, type) => {
    const [name, data = ''] = errorEvent('messages', ApiError.interrupted(code).toBody()).split('\n');
    expect(name).toBe('event: error');
    expect(JSON.parse(data.slice('data: '.length))).toMatchObject({ type: 'error', error: { type, code } });
  });

  const SAID = { message: 'Too long.', code: null, detail: 'Too long.' };

  test.each<[Dialect, number, string, object]>([
    ['openai', 400, '', { error: SAID }],
    [
      'responses',
      400,
      'event: error\n',
      { type: 'error', sequence_number: 0, code: null, message: 'Too long.', param: null, error: SAID },
    ],
    ['messages', 400, 'event: error\n', { type: 'error', error: { ...SAID, type: 'invalid_request_error' } }],
    ['messages', 429, 'event: error\n', { type: 'error', error: { ...SAID, type: 'rate_limit_error' } }],
    ['messages', 200, 'event: error\n', { type: 'error', error: { ...SAID, type: 'api_error' } }],
  ])('ATT-74: of the upstream’s own words for clients of %s, after a %i', (dialect, status, name, data) => {
    expect(upstreamErrorEvent(dialect, status, SAID)).toBe(`${name}data: ${JSON.stringify(data)}\n\n`);
  });

  test.each<[number, string, string]>([
    [529, 'overloaded_error', 'overloaded_error'],
    [402, 'billing_error', 'billing_error'],
    [500, 'overloaded_error', 'overloaded_error'],
    [401, 'invalid_request_error', 'authentication_error'],
    [500, 'server_error', 'api_error'],
    [529, 'BadRequestError', 'overloaded_error'],
  ])('ATT-74: after a %i of type %s, clients of Anthropic’s read %s', (status, said, type) => {
    expect(upstreamErrorEvent('messages', status, { ...SAID, type: said })).toBe(
      `event: error\ndata: ${JSON.stringify({ type: 'error', error: { ...SAID, type } })}\n\n`,
    );
  });

  test('ATT-72: no client takes what keeps a connection alive for a part of the answer', () => {
    expect(KEEP_ALIVE.openai).toMatch(/^:.*\n\n$/);
    expect(KEEP_ALIVE.responses).toMatch(/^:.*\n\n$/);
    expect(KEEP_ALIVE.messages).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });
});

describe('the body of an error', () => {
  const error = ApiError.overloaded().toBody();

  test.each(['openai', 'responses'] as const)('ERR-30: for clients of %s is OpenAI’s alone', (dialect) => {
    expect(errorBody(dialect, error, 'id')).toEqual(error);
  });

  test('ERR-30: for clients of Anthropic’s is theirs as well', () => {
    expect(errorBody('messages', error, 'id')).toEqual({
      type: 'error',
      error: { ...error.error, type: 'overloaded_error' },
      request_id: 'id',
    });
  });

  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [405, 'invalid_request_error'],
    [408, 'invalid_request_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
    [529, 'overloaded_error'],
  ])('ERR-30: Anthropic calls a %i %s', (status, type) => {
    expect(anthropicErrorType(status)).toBe(type);
  });
});
