import { describe, expect, test } from '@jest/globals';
import { errors } from 'undici';
import { failureOf } from './upstream-failure.js';

const withCode = (code: string) => Object.assign(new Error('x'), { code });
// As undici makes them: the parser's code is missing.
const parserError = (reason: string) =>
  new errors.HTTPParserError(`Response does not match the HTTP/1.1 protocol (${reason})`);
const notHttp = parserError('Expected HTTP/, RTSP/ or ICE/');
const endedEarly = parserError('Invalid EOF state');

describe('a failure', () => {
  test.each([
    ['refused', withCode('ECONNREFUSED')],
    ['not resolved', withCode('ENOTFOUND')],
    ['distrusted', withCode('DEPTH_ZERO_SELF_SIGNED_CERT')],
    ['too slow', new errors.ConnectTimeoutError()],
    ['reset in the handshake', withCode('ECONNRESET')],
    ['something nobody knows', new TypeError('x')],
  ])('ATT-7, ERR-6: while connecting: %s', (_, error) => {
    expect(failureOf('connecting', error)).toBe('upstream_connect_error');
  });

  test.each([
    ['reset', withCode('ECONNRESET')],
    ['broken pipe', withCode('EPIPE')],
    ['closed', new errors.SocketError('other side closed')],
    ['closed inside the head', endedEarly],
    ['lost on the way', withCode('ETIMEDOUT')],
  ])('ATT-8, ERR-7: before the headers: %s', (_, error) => {
    expect(failureOf('headers', error)).toBe('upstream_reset');
  });

  test.each([
    ['not HTTP', notHttp],
    ['a head too large', new errors.HeadersOverflowError()],
    ['100 Continue that nobody asked for', new errors.SocketError('bad response')],
    ['an upgrade that nobody asked for', new errors.SocketError('bad upgrade')],
    ['a status below 100, which undici only asserts', withCode('ERR_ASSERTION')],
    ['something nobody knows', new TypeError('x')],
  ])('ATT-9, ERR-8: before the headers: %s', (_, error) => {
    expect(failureOf('headers', error)).toBe('upstream_invalid_response');
  });

  test.each([
    ['reset', withCode('ECONNRESET')],
    ['closed', new errors.SocketError('other side closed')],
    ['short of its length', new errors.ResponseContentLengthMismatchError()],
    ['closed without the final chunk', endedEarly],
  ])('ATT-11, ERR-10: before the first byte: %s', (_, error) => {
    expect(failureOf('first-byte', error)).toBe('upstream_first_body_byte_error');
  });

  test('ATT-9, ERR-8: before the first byte: framing that is not HTTP', () => {
    expect(failureOf('first-byte', notHttp)).toBe('upstream_invalid_response');
  });
});
