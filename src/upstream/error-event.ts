import type { StreamEvent } from './event-lines.js';
import { isJsonObject, type JsonObject, parseObject } from './json.js';
import { type Incapability, incapabilityOf, isAboutModel } from './refusal.js';
import { readError } from './upstream-error.js';

/**
 * The error that an event holds: the top-level `error` of its data, in an Anthropic `event: error` whatever there is, or that of an
 * answer of the Responses API that its model failed.
 *
 * @returns `undefined` for any other event, and for an `error` that is null.
 */
export function errorOf({ name, data }: StreamEvent): unknown {
  const isError = name === 'error';
  // Mostly there is none, and nothing to parse.
  const body = isError || data.includes('"error"') ? parseObject(data) : undefined;
  return body?.['error'] ?? (isError ? (body ?? data) : body && failureIn(body));
}

/** Chutes' proxy for this API tells so of a model that fails, with status 200. A failure that the request brought on is an answer. */
function failureIn({ type, response }: JsonObject): unknown {
  const error = type === 'response.failed' && isJsonObject(response) ? response['error'] : undefined;
  const said = isJsonObject(error) ? readError(error) : undefined;
  return said && isAboutModel(said) ? error : undefined;
}

/** Whether a line of an event stream is none of its own, but the beginning of JSON without a frame. */
export function isUnframed(line: string): boolean {
  return /^[ \t]*\{/.test(line);
}

/** An error whose JSON is broken: Chutes does not escape the reason in it. */
const BROKEN_ERROR = /^\s*\{\s*"error"\s*:\s*(?!null\b)\S/;

/**
 * The error that Chutes puts into a stream without making it an event.
 *
 * @param text one line, or all of some
 * @returns `undefined` if it is none, or null.
 */
export function unframedErrorOf(text: string): unknown {
  const body = parseObject(text);
  if (body) return body['error'] ?? undefined;
  return BROKEN_ERROR.test(text) ? text : undefined;
}

/**
 * What an error at the beginning of a stream says of the attempt: that it `failed`; that the model lacks what the request needs; or
 * that the request is `refused`, which is for the client to see.
 */
export function meaningOf(error: unknown): 'failed' | 'refused' | Incapability {
  if (!isJsonObject(error) || ![error['code'], error['status']].some(isClientError)) return 'failed';
  const said = readError(error);
  return (said && incapabilityOf(said)) ?? 'refused';
}

function isClientError(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status <= 499;
}
