import { describe, expect, test } from '@jest/globals';
import { beginsAsHttp, originForm, parserError, requestProblem } from './framing.js';

/** The code of the problem with a request of HTTP/1.1 to the host x, if there is one. */
function problemWith(...rawHeaders: readonly string[]): string | undefined {
  return requestProblem('1.1', ['Host', 'x', ...rawHeaders])?.code;
}

test.each([
  ['1.0', undefined],
  ['1.1', undefined],
  ['0.9', 'bad_request'],
  ['1.2', 'bad_request'],
  ['2.0', 'bad_request'],
])('ERR-21: HTTP/%s', (version, code) => {
  expect(requestProblem(version, ['Host', 'x'])?.code).toBe(code);
});

describe('Transfer-Encoding', () => {
  test.each(['chunked', 'Chunked', 'CHUNKED'])('ERR-19: %s is read', (coding) => {
    expect(problemWith('transfer-encoding', coding)).toBeUndefined();
  });

  test.each([
    '',
    'gzip',
    'identity',
    'xchunked',
    'chunked, chunked',
    'gzip, chunked',
    'chunked;q=1',
    'chunked\t',
  ])('ERR-19: %j is refused', (coding) => {
    expect(problemWith('TRANSFER-ENCODING', coding)).toBe('bad_request');
  });

  test('ERR-19: every header of the name counts', () => {
    expect(problemWith('Transfer-Encoding', 'chunked', 'transfer-encoding', 'gzip')).toBe('bad_request');
    expect(problemWith('Transfer-Encoding', 'gzip', 'transfer-encoding', 'chunked')).toBe('bad_request');
  });

  test('ERR-19: there is none in HTTP/1.0', () => {
    expect(requestProblem('1.0', ['Transfer-Encoding', 'chunked'])?.code).toBe('bad_request');
  });
});

describe('Host', () => {
  test.each([
    'x',
    'x.example',
    'X.EXAMPLE:443',
    'x:',
    'x_y~z!',
    '10.0.0.1:8080',
    '[::1]',
    '[2001:db8::1]:8080',
    '[::ffff:1.2.3.4]',
    '%41b',
    '',
    ':80',
  ])('ERR-20: %j is one', (host) => {
    expect(requestProblem('1.1', ['host', host])).toBeUndefined();
  });

  test.each([
    'x y',
    'x/y',
    'x@y',
    'x?y',
    'x#y',
    'x\\y',
    'x\ty',
    'x:y',
    'x:80:80',
    'x:123456',
    'x:-1',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[x]',
    '[1.2.3.4]',
    '[::1]x',
    'x%2',
    'x%zz',
    'é',
    'http://x',
    '{x}',
  ])('ERR-20: %j is none', (host) => {
    expect(requestProblem('1.1', ['Host', host])?.code).toBe('bad_request');
  });

  test.each([
    ['1.1', [], 'bad_request'],
    ['1.0', [], undefined],
    ['1.1', ['Host', 'x', 'HOST', 'x'], 'bad_request'],
    ['1.0', ['Host', 'x', 'HOST', 'x'], 'bad_request'],
    ['1.1', ['X-Host', 'x'], 'bad_request'],
  ])('ERR-20: HTTP/%s with %j', (version, rawHeaders, code) => {
    expect(requestProblem(version, rawHeaders)?.code).toBe(code);
  });
});

test.each([
  ['100-continue', undefined],
  ['100-Continue', undefined],
  ['', 'expectation_failed'],
  ['200-ok', 'expectation_failed'],
  ['100-continue, 200-ok', 'expectation_failed'],
  ['x100-continue', 'expectation_failed'],
])('ERR-23: the expectation %j', (value, code) => {
  expect(problemWith('eXPECT', value)).toBe(code);
});

test('ERR-19, ERR-20: what only resembles those headers is none of them', () => {
  expect(problemWith('Transfer_Encoding', 'gzip', 'Ho_t', 'a b', 'X-Expect', 'x')).toBeUndefined();
});

test.each([
  ['/v1/models?a=b', '/v1/models?a=b'],
  ['http://x/v1/models?a=b', '/v1/models?a=b'],
  ['HTTPS://x:80/', '/'],
  ['http://x', '/'],
  ['http://x?a=b', '/?a=b'],
  ['http://me:pw@x/a', '/a'],
  ['http:///a', '/a'],
  ['http://x//a', '//a'],
  ['ftp://x/a', 'ftp://x/a'],
  ['//x/a', '//x/a'],
  ['/http://x/a', '/http://x/a'],
  ['*', '*'],
])('RTE-15: %s has the path and query %s', (target, expected) => {
  expect(originForm(target)).toBe(expected);
});

test.each([
  ['ERR-22', 'HPE_HEADER_OVERFLOW', 431, 'headers_too_large'],
  ['CFG-23', 'ERR_HTTP_REQUEST_TIMEOUT', 408, 'request_timeout'],
  ['ERR-18', 'HPE_INVALID_METHOD', 400, 'bad_request'],
  ['ERR-18', 'HPE_CHUNK_EXTENSIONS_OVERFLOW', 400, 'bad_request'],
  ['ERR-18', undefined, 400, 'bad_request'],
])('%s, ERR-24: the parser’s %s is %d %s, and ends the connection', (_clause, given, status, code) => {
  expect(parserError(given)).toMatchObject({ status, code, closesConnection: true });
});

test.each<[read: string, isHttp: boolean]>([
  ['GET / HTTP/1.1\r\n', true],
  ['GET / RTSP/1.1\r\n', false],
  ['\r\n\n GET / RTSP/1.1\r\n', true],
  ['\r\n\nGET   /   ICE/1.0\r\n', false],
  ['GET /RTSP/1.0 HTTP/1.1\r\n', true],
  // Parts of a request whose beginning is elsewhere.
  ['', true],
  ['GET / RT', true],
  ['et / RTSP/1.1\r\n', true],
  ['X: GET / RTSP/1.0\r\n', true],
])('ERR-34: %j begins as HTTP, or cannot be told from it: %s', (read, isHttp) => {
  expect(beginsAsHttp(Buffer.from(read), 'GET')).toBe(isHttp);
});
