import { STATUS_CODES } from 'node:http';
import type { ApiError } from '../openai/api-error.js';
import { errorText } from './error-head.js';

/**
 * An error as the bytes of a whole HTTP response, for a connection on which nothing else can answer any more.
 *
 * @param target what was asked for, if that can be read
 */
export function rawError(error: ApiError, requestId: string, target = ''): string {
  const body = errorText(error, target, requestId);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
