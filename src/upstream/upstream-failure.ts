import type { UpstreamFailure } from '../openai/error-response.js';

/** How far an attempt has come. */
export type AttemptPhase = 'connecting' | 'headers' | 'first-byte' | 'open';

const RESET_CODES: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
]);

/** llhttp's words for a connection that ended in the middle of a message; undici loses its code. */
const ENDED_EARLY = /\(Invalid EOF state\)$/;

/** undici's words for a 1xx it did not ask for. */
const UNSOLICITED = /^bad (?:response|upgrade)$/;

/** Names the failure of an attempt that has brought no answer. undici's protocol errors come in many shapes. */
export function failureOf(phase: Exclude<AttemptPhase, 'open'>, error: unknown): UpstreamFailure {
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
  const endedEarly = ENDED_EARLY.test(String(message));
  switch (phase) {
    case 'connecting':
      return 'upstream_connect_error';
    case 'headers':
      if (endedEarly) return 'upstream_reset';
      return RESET_CODES.has(code) && !UNSOLICITED.test(String(message))
        ? 'upstream_reset'
        : 'upstream_invalid_response';
    case 'first-byte':
      return name === 'HTTPParserError' && !endedEarly
        ? 'upstream_invalid_response'
        : 'upstream_first_body_byte_error';
  }
}
