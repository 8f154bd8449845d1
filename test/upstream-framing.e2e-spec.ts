import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RawStage } from './support/raw-stage.js';
import { type RequestScript } from './support/raw-upstream.js';

const CHUNKED = '5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

let stage: RawStage;

beforeAll(async () => {
  stage = await RawStage.set();
});

afterAll(async () => stage.clear());

afterEach(() => {
  stage.upstream.answer('first', answering(['Transfer-Encoding: chunked']));
});

/** Sends a chunked body behind these headers, and leaves the connection open. */
function answering(headers: readonly string[], start = OK): RequestScript {
  return async (connection) => {
    await connection.write(`${start}${headers.map((line) => `${line}\r\n`).join('')}\r\n${CHUNKED}`);
  };
}

describe('a transfer coding', () => {
  test.each([
    [
      'chunked and, in a header of its own, another',
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip'],
    ],
    [
      'another and, in a header of its own, chunked',
      ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
    ],
    ['chunked and another', ['Transfer-Encoding: chunked, gzip']],
    ['another and chunked', ['Transfer-Encoding: gzip, chunked']],
    ['chunked twice', ['Transfer-Encoding: chunked, chunked']],
    ['chunked in two headers', ['Transfer-Encoding: chunked', 'transfer-encoding: chunked']],
    ['chunked and an empty one', ['Transfer-Encoding: chunked', 'Transfer-Encoding: ']],
    ['identity and chunked', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']],
    ['another', ['Transfer-Encoding: deflate']],
    ['none', ['Transfer-Encoding: ']],
    ['chunked beside a length', ['Transfer-Encoding: chunked', 'Content-Length: 7']],
    ['chunked behind a length', ['Content-Length: 7', 'Transfer-Encoding: chunked']],
    ['two lengths', ['Content-Length: 7', 'Content-Length: 8']],
  ])('ERR-33: %s is no valid response', async (_, headers) => {
    stage.upstream.answer('first', answering(headers));
    const { status, body } = await stage.ask({ model: 'first' });
    expect([status, body.toString()]).toEqual([502, expect.stringContaining('upstream_invalid_response')]);

    // Before the commit another model is tried.
    const { status: other, body: answer } = await stage.ask({ model: 'first,second' });
    expect([other, answer.toString()]).toEqual([200, expect.stringContaining('second')]);
  });

  test('ERR-33: of an answer that is no 2xx counts, too', async () => {
    const twice = ['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip'];
    stage.upstream.answer('first', answering(twice, 'HTTP/1.1 400 No\r\n'));
    expect((await stage.ask({ model: 'first' })).status).toBe(502);
  });

  test.each(['chunked', 'CHUNKED', '\tchunked '])('ERR-33: %j is read as it is meant', async (coding) => {
    stage.upstream.answer('first', answering([`Transfer-Encoding:${coding}`]));
    const { status, body } = await stage.ask({ model: 'first' });
    expect([status, body.toString()]).toEqual([200, '{"a":1}']);
  });
});
