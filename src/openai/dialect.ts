import { type ErrorResponse, STATUS_OF_CODE } from './error-response.js';
import { plainPath } from './plain-path.js';

/** What a client speaks: OpenAI's chat and text completions, its Responses API, or Anthropic's Messages API. */
export type Dialect = 'openai' | 'responses' | 'messages';

/** @param path of the endpoint, without the query. */
export function dialectOf(path: string): Dialect {
  if (path === '/v1/responses') return 'responses';
  return path === '/v1/messages' || path.startsWith('/v1/messages/') ? 'messages' : 'openai';
}

/** The same of a request's target, in whichever spelling: a client that got its base URL wrong still reads what it speaks. */
export function dialectOfTarget(target: string): Dialect {
  const path = plainPath(target);
  return dialectOf(path.slice(Math.max(0, path.lastIndexOf('/v1/'))));
}

/** What is sent while nothing else can be, and no client takes for a part of the answer. */
export const KEEP_ALIVE: Readonly<Record<Dialect, string>> = {
  openai: ': waiting\n\n',
  responses: ': waiting\n\n',
  messages: 'event: ping\ndata: {"type":"ping"}\n\n',
};

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** Names that only Anthropic has. `invalid_request_error` is OpenAI's, too, for whatever is wrong with a request. */
const ANTHROPIC_NAMES: ReadonlySet<unknown> = new Set([
  ...Object.values(ANTHROPIC_TYPES),
  'api_error',
  'billing_error',
]);

/** The name that Anthropic has for errors with a status from 400 on. */
export function anthropicErrorType(status: number): string {
  return ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

/** An error of the router's own: OpenAI's shape, and Anthropic's around it where its clients ask, so that both can read it. */
export function errorBody(dialect: Dialect, body: ErrorResponse, requestId: string): object {
  if (dialect !== 'messages') return body;
  return { ...body, type: 'error', error: inAnthropicsWords(body.error), request_id: requestId };
}

/**
 * The event that tells the client of an error within its stream.
 *
 * @param sequenceNumber of the event, where the dialect numbers them: some clients take none without for an error
 */
export function errorEvent(dialect: Dialect, { error }: ErrorResponse, sequenceNumber = 0): string {
  switch (dialect) {
    case 'openai':
      return eventOf({ error });
    case 'responses': {
      const { code, message, param } = error;
      return `event: error\n${eventOf({
        type: 'error',
        sequence_number: sequenceNumber,
        code,
        message,
        param,
        error,
      })}`;
    }
    case 'messages':
      return `event: error\n${eventOf({ type: 'error', error: inAnthropicsWords(error) })}`;
  }
}

/**
 * The same for an answer of the upstream's.
 *
 * @param status of that answer
 * @param error whatever it says, in the upstream's words
 */
export function upstreamErrorEvent(dialect: Dialect, status: number, error: SaidError): string {
  switch (dialect) {
    case 'openai':
      return eventOf({ error });
    case 'responses': {
      const { code, message } = error;
      return `event: error\n${eventOf({ type: 'error', sequence_number: 0, code, message, param: null, error })}`;
    }
    case 'messages': {
      // Its proxy may know better than its status.
      const type = ANTHROPIC_NAMES.has(error.type)
        ? error.type
        : anthropicErrorType(status < 400 ? 502 : status);
      return `event: error\n${eventOf({ type: 'error', error: { ...error, type } })}`;
    }
  }
}

/** At least this clients look for in an error. */
interface SaidError {
  readonly message: unknown;
  readonly code: unknown;
  readonly type?: unknown;
}

function inAnthropicsWords(error: ErrorResponse['error']): object {
  return { ...error, type: anthropicErrorType(STATUS_OF_CODE[error.code]) };
}

function eventOf(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
