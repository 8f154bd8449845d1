import type { OutgoingHttpHeaders } from 'node:http';
import type { ApiError } from '../openai/api-error.js';
import { dialectOfTarget, errorBody } from '../openai/dialect.js';

/** An error's body as whoever asked for this target reads it. */
export function errorText(error: ApiError, target: string, requestId: string): string {
  return JSON.stringify(errorBody(dialectOfTarget(target), error.toBody(), requestId));
}

/** The headers of an error's answer. @param body as it is sent. */
export function errorHead(error: ApiError, body: string, requestId: string): OutgoingHttpHeaders {
  return {
    ...error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
  };
}
