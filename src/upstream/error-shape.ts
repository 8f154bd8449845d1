import type { Refusal } from '../openai/refusal-kind.js';
import { isJsonObject, parseObject } from './json.js';
import { MAX_REFUSAL_BYTES, refusalOf } from './refusal.js';
import { deepestMessage } from './upstream-error.js';

/** What clients that read only OpenAI's shape can show. */
interface ShapedError {
  readonly message: string;
  readonly type: string;
  readonly param: null;
  readonly code: string | null;
}

const CLOSING_BRACE = 0x7d;

/**
 * An error body of Chutes' shape with OpenAI's `error` beside its `detail`. All that was there stays as it was, byte for byte.
 *
 * @param body the whole body
 * @returns `undefined` where there is nothing to add: another shape, an `error` of its own, or more than 16 KiB.
 */
export function withError(status: number, body: Buffer): Buffer | undefined {
  if (body.length > MAX_REFUSAL_BYTES) return undefined;
  const answer = parseObject(body.toString());
  if (!answer || !Object.hasOwn(answer, 'detail') || Object.hasOwn(answer, 'error')) return undefined;
  const error = JSON.stringify(shaped(status, answer['detail'], refusalOf(status, body)));
  // The last brace is the object's own, and there is a member in front of it.
  const end = body.lastIndexOf(CLOSING_BRACE);
  return Buffer.concat([body.subarray(0, end), Buffer.from(`,"error":${error}`), body.subarray(end)]);
}

/**
 * What an answer says, as the `error` of an event: the members of its own `error`, or of its whole body, and OpenAI's fields where
 * these are missing.
 *
 * @param body as far as it could be read
 */
export function saidBy(status: number, body: Buffer): ShapedError {
  const text = body.toString();
  const answer = parseObject(text);
  const own = answer?.['error'] ?? answer;
  const error = status < 400 ? noStream(status) : shaped(status, answer ?? text, refusalOf(status, body));
  return isJsonObject(own) ? { ...error, ...own } : error;
}

function noStream(status: number): ShapedError {
  return {
    message: `The upstream answered with ${status}, but with no stream.`,
    type: 'server_error',
    param: null,
    code: null,
  };
}

function shaped(status: number, detail: unknown, refusal: Refusal | undefined): ShapedError {
  return {
    message: messageOf(status, detail),
    type: typeOf(status, refusal),
    param: null,
    code: codeOf(status, refusal),
  };
}

function messageOf(status: number, detail: unknown): string {
  const isSilent = detail === null || detail === '';
  return (
    deepestMessage(detail) ?? (isSilent ? `The upstream answered with ${status}.` : JSON.stringify(detail))
  );
}

function typeOf(status: number, refusal: Refusal | undefined): string {
  if (status === 402 && refusal === 'account') return 'insufficient_quota';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

const ACCOUNT_CODES: Readonly<Record<number, string>> = {
  401: 'invalid_api_key',
  402: 'insufficient_quota',
  429: 'rate_limit_exceeded',
};

/** OpenAI's code where it has one. */
function codeOf(status: number, refusal: Refusal | undefined): string | null {
  switch (refusal) {
    case 'model':
      return status === 404 ? 'model_not_found' : 'model_unavailable';
    case 'capacity':
      return 'model_at_capacity';
    case 'context':
      return 'context_length_exceeded';
    case 'ability':
      return 'unsupported_value';
    case 'account':
      return ACCOUNT_CODES[status] ?? null;
    case undefined:
      return null;
  }
}
