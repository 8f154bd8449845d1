import type { IncomingHttpHeaders } from 'node:http';

export interface RouterError {
  readonly code: string;
  readonly type: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The codes of the router's own errors with their status, as the contract lists them. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  ...table(400, 'invalid_json invalid_body missing_model duplicate_model invalid_model invalid_model_list'),
  ...table(400, 'unknown_model invalid_nonce not_confidential bad_request'),
  ...table(404, 'not_found model_not_found'),
  ...table(405, 'method_not_allowed'),
  ...table(408, 'request_timeout'),
  ...table(413, 'request_too_large'),
  ...table(415, 'unsupported_encoding'),
  ...table(417, 'expectation_failed'),
  ...table(431, 'headers_too_large'),
  ...table(500, 'internal_error'),
  ...table(502, 'upstream_connect_error upstream_reset upstream_invalid_response'),
  ...table(502, 'upstream_first_body_byte_error upstream_empty_body'),
  ...table(503, 'no_candidates missing_allowlist overloaded shutting_down'),
  ...table(503, 'allowlist_empty stale_allowlist missing_snapshot stale_snapshot'),
  ...table(504, 'upstream_header_timeout upstream_first_body_byte_timeout'),
};
const NOT_READY = new Set(['allowlist_empty', 'stale_allowlist', 'missing_snapshot', 'stale_snapshot']);

/** Reads an error of the router's own; a string says why it is none. */
export function routerErrorOf({ status, headers, body }: Answer): RouterError | string {
  let root: unknown;
  try {
    root = JSON.parse(body.toString());
  } catch {
    return 'it is not JSON';
  }
  const { error } = root as { error?: Readonly<Record<string, unknown>> };
  if (typeof error !== 'object' || error === null) return 'it has no error';
  const { message, type, param, code } = error;
  if (Object.keys(error).toSorted().join() !== 'code,message,param,type') return 'its fields are others';
  if (typeof message !== 'string' || message === '') return 'its message is empty';
  if (typeof code !== 'string' || STATUS_OF_CODE[code] !== status) return `its code is ${String(code)}`;
  if (param !== null && typeof param !== 'string') return 'its param is neither text nor null';
  if (typeof type !== 'string' || !typesOf(status, code).includes(type)) return `its type is ${String(type)}`;
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) return 'its content type is another';
  if (!headers['x-request-id']) return 'it has no request id';
  if ((code === 'overloaded' || code === 'shutting_down') && !headers['retry-after'])
    return 'it has no Retry-After';
  if (status === 504 && headers['x-should-retry'] !== 'false') return 'clients would try it again';
  return { code, type };
}

function typesOf(status: number, code: string): string[] {
  if (status < 500) return ['invalid_request_error'];
  if (NOT_READY.has(code)) return ['not_ready'];
  // These are errors of requests, and of readiness too.
  return ['no_candidates', 'missing_allowlist', 'shutting_down'].includes(code)
    ? ['server_error', 'not_ready']
    : ['server_error'];
}

function table(status: number, codes: string): Readonly<Record<string, number>> {
  return Object.fromEntries(codes.split(' ').map((code) => [code, status]));
}
