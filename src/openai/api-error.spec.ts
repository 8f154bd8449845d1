import { describe, expect, test } from '@jest/globals';
import { ApiError } from './api-error.js';
import { type ErrorCode, STATUS_OF_CODE } from './error-response.js';

/** Every code, by status: those of answers, of `/readyz`, and of the event that ends a broken stream. */
const CODES: readonly (readonly [number, readonly string[]])[] = [
  [
    400,
    [
      'bad_request',
      'duplicate_model',
      'invalid_body',
      'invalid_json',
      'invalid_model',
      'invalid_model_list',
      'invalid_nonce',
      'missing_model',
      'no_capable_model',
      'not_confidential',
      'unknown_model',
    ],
  ],
  [404, ['model_not_found', 'not_found']],
  [405, ['method_not_allowed']],
  [408, ['request_timeout']],
  [413, ['request_too_large']],
  [415, ['unsupported_encoding']],
  [417, ['expectation_failed']],
  [431, ['headers_too_large']],
  [500, ['internal_error']],
  [
    502,
    [
      'upstream_connect_error',
      'upstream_empty_body',
      'upstream_first_body_byte_error',
      'upstream_invalid_response',
      'upstream_reset',
      'upstream_stream_interrupted',
    ],
  ],
  [
    503,
    [
      'allowlist_empty',
      'missing_allowlist',
      'missing_snapshot',
      'no_candidates',
      'overloaded',
      'shutting_down',
      'stale_allowlist',
      'stale_snapshot',
    ],
  ],
  [504, ['upstream_first_body_byte_timeout', 'upstream_header_timeout', 'upstream_idle_timeout']],
];

test('ERR-3, ERR-4: the codes and their statuses are a closed set', () => {
  const expected = CODES.flatMap(([status, codes]) => codes.map((code) => [code, status]));
  expect(STATUS_OF_CODE).toEqual(Object.fromEntries(expected));
});

const BY_NAME: readonly (readonly [ErrorCode, string | null, ApiError])[] = [
  ['bad_request', null, ApiError.badRequest()],
  ['bad_request', null, ApiError.badPath()],
  ['invalid_json', null, ApiError.invalidJson('it is empty')],
  ['invalid_body', null, ApiError.invalidBody()],
  ['missing_model', 'model', ApiError.missingModel()],
  ['duplicate_model', 'model', ApiError.duplicateModel()],
  ['invalid_model', 'model', ApiError.invalidModel('is too long')],
  ['invalid_model_list', 'model', ApiError.invalidModelList('is empty')],
  ['unknown_model', 'model', ApiError.unknownModel([{ id: 'a/b', suggestion: undefined }], ['auto'])],
  ['unknown_model', 'model', ApiError.unknownVariant('fast')],
  ['no_capable_model', null, ApiError.noCapableModel([['tools', 1]], 2)],
  ['invalid_nonce', 'nonce', ApiError.invalidNonce()],
  ['not_confidential', null, ApiError.notConfidential()],
  ['not_found', null, ApiError.notFound('Nothing here.')],
  ['model_not_found', 'model', ApiError.modelNotFound()],
  ['method_not_allowed', null, ApiError.methodNotAllowed(['POST'])],
  ['request_timeout', null, ApiError.requestTimeout()],
  ['request_too_large', null, ApiError.requestTooLarge(1)],
  ['unsupported_encoding', null, ApiError.unsupportedEncoding()],
  ['expectation_failed', null, ApiError.expectationFailed()],
  ['headers_too_large', null, ApiError.headersTooLarge()],
  ['internal_error', null, ApiError.internal()],
  ['no_candidates', null, ApiError.noCandidates()],
  ['no_candidates', null, ApiError.emptyPool('a')],
  ['missing_allowlist', null, ApiError.missingAllowlist()],
  ['overloaded', null, ApiError.overloaded()],
  ['overloaded', null, ApiError.overloadedUpload()],
  ['shutting_down', null, ApiError.shuttingDown()],
  ['upstream_reset', null, ApiError.upstream('upstream_reset')],
  ['upstream_header_timeout', null, ApiError.upstream('upstream_header_timeout')],
  ['upstream_idle_timeout', null, ApiError.interrupted('upstream_idle_timeout')],
];

describe('errors by name', () => {
  test.each(BY_NAME)('ERR-1: %s with param %s has all four fields', (code, param, error) => {
    const status = STATUS_OF_CODE[code];
    const type = status < 500 ? 'invalid_request_error' : 'server_error';
    expect(error.status).toBe(status);
    expect(error.toBody()).toEqual({
      error: { message: expect.stringMatching(/^[A-Z].*[.]$/), type, param, code },
    });
  });

  test('ERR-14: readiness has a type of its own and its details beside the error', () => {
    const error = ApiError.notReady('stale_snapshot', { snapshot: { status: 'down' } });
    expect(error.status).toBe(503);
    expect(error.toBody()).toEqual({
      error: { message: expect.any(String), type: 'not_ready', param: null, code: 'stale_snapshot' },
      details: { snapshot: { status: 'down' } },
    });
  });

  test('ERR-12, ERR-13: those that pass have Retry-After, no others', () => {
    const hinted = BY_NAME.filter(([, , { headers }]) => 'retry-after' in headers).map(([code]) => code);
    expect(hinted).toEqual(['overloaded', 'overloaded', 'shutting_down']);
    expect(ApiError.overloaded().headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  test("ERR-15: OpenAI's clients are kept from repeating a 504, and nothing else", () => {
    const marked = BY_NAME.filter(([, , { headers }]) => headers['x-should-retry'] === 'false');
    expect(marked.map(([code]) => code)).toEqual(['upstream_header_timeout']);
  });
});
