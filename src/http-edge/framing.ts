import { isIPv6 } from 'node:net';
import { ApiError } from '../openai/api-error.js';

/** `host`, `host:port` or `[v6]:port`, as RFC 9110 §7.2 has it; the characters are those of RFC 3986's reg-name. */
const HOST = /^(?:\[(?<v6>[^\]]*)\]|(?:[\w\-.~!$&'()*+,;=]|%[\da-f]{2})*)(?::\d{0,5})?$/i;

/** What a host mostly looks like. */
const PLAIN_HOST = /^[\w.-]+(?::\d{1,5})?$/;

/**
 * What Node's parser lets pass though two readers could understand it differently: another one in front of
 * this router, say; and expectations that cannot be met. @param rawHeaders name, value, name, value, …
 */
export function requestProblem(httpVersion: string, rawHeaders: readonly string[]): ApiError | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return ApiError.badRequest('The HTTP version is not supported.');
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') {
      hosts += 1;
      if (!isHost(rawHeaders[i + 1] as string)) return ApiError.badRequest('The Host header is malformed.');
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (httpVersion === '1.0') return ApiError.badRequest('HTTP/1.0 has no Transfer-Encoding.');
      if ((rawHeaders[i + 1] as string).toLowerCase() !== 'chunked') {
        return ApiError.badRequest('The only Transfer-Encoding supported is chunked, once.');
      }
    } else if (name.length === 6 && name.toLowerCase() === 'expect') {
      if ((rawHeaders[i + 1] as string).toLowerCase() !== '100-continue') return ApiError.expectationFailed();
    }
  }
  if (hosts > 1) return ApiError.badRequest('There is more than one Host header.');
  if (hosts === 0 && httpVersion === '1.1') return ApiError.badRequest('The Host header is missing.');
  return undefined;
}

/** Longer ones are refused for the size of their headers. */
const MAX_LINE_BYTES = 16_384;
const LF = 0x0a;
const REQUEST_LINE = /^[\r\n]*([^ \r\n]+) +[^ \r\n]+ +([^/ \r\n]+)\//;

/** Whether the protocol of a request line is HTTP, or cannot be seen. @param read what was read, mostly from that line on */
export function beginsAsHttp(read: Buffer, method: string): boolean {
  const end = read.indexOf(LF, read.indexOf(method));
  const line = read.toString('latin1', 0, end === -1 ? MAX_LINE_BYTES : Math.min(end, MAX_LINE_BYTES));
  const [, begun, protocol] = REQUEST_LINE.exec(line) ?? [];
  return begun !== method || protocol === 'HTTP';
}

function isHost(value: string): boolean {
  if (PLAIN_HOST.test(value)) return true;
  const match = HOST.exec(value);
  const v6 = match?.groups?.['v6'];
  return match !== null && (v6 === undefined || isIPv6(v6));
}

/** The path and query of a request target; those of an absolute-form one (`http://host/path`), too. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  if (!absolute) return target;
  const rest = target.slice(absolute[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** @param code of the error that Node's parser or server came up with. */
export function parserError(code: string | undefined): ApiError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ApiError.headersTooLarge();
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ApiError.requestTimeout();
    default:
      return ApiError.badRequest();
  }
}
