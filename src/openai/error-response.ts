/** OpenAI's error shape. Every error body this router writes has all four fields. */
export interface ErrorResponse {
  error: { message: string; type: ErrorType; param: string | null; code: ErrorCode };
}

export type ErrorType = 'invalid_request_error' | 'server_error' | 'not_ready';

/** The closed set of codes, each with the HTTP status it is sent with. */
export const STATUS_OF_CODE = {
  bad_request: 400,
  duplicate_model: 400,
  invalid_body: 400,
  invalid_json: 400,
  invalid_model: 400,
  invalid_model_list: 400,
  invalid_nonce: 400,
  missing_model: 400,
  no_capable_model: 400,
  not_confidential: 400,
  unknown_model: 400,
  model_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  request_too_large: 413,
  unsupported_encoding: 415,
  expectation_failed: 417,
  headers_too_large: 431,
  internal_error: 500,
  upstream_connect_error: 502,
  upstream_empty_body: 502,
  upstream_first_body_byte_error: 502,
  upstream_invalid_response: 502,
  upstream_reset: 502,
  allowlist_empty: 503,
  missing_allowlist: 503,
  missing_snapshot: 503,
  no_candidates: 503,
  overloaded: 503,
  shutting_down: 503,
  stale_allowlist: 503,
  stale_snapshot: 503,
  upstream_first_body_byte_timeout: 504,
  upstream_header_timeout: 504,
  // Sent inside an event stream that has begun, so their status never reaches a status line.
  upstream_idle_timeout: 504,
  upstream_stream_interrupted: 502,
} as const;

export type ErrorCode = keyof typeof STATUS_OF_CODE;

export type ReadinessCode =
  | 'allowlist_empty'
  | 'missing_allowlist'
  | 'missing_snapshot'
  | 'no_candidates'
  | 'shutting_down'
  | 'stale_allowlist'
  | 'stale_snapshot';

/** Why an attempt brought no answer of the upstream's own. */
export type UpstreamFailure =
  | 'upstream_connect_error'
  | 'upstream_empty_body'
  | 'upstream_first_body_byte_error'
  | 'upstream_first_body_byte_timeout'
  | 'upstream_header_timeout'
  | 'upstream_invalid_response'
  | 'upstream_reset';
