import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  apiError,
  BODY,
  completionOf,
  Edge,
  errorIn,
  GET_HEALTH,
  MODEL,
  POST,
  requestOf,
} from './support/edge.js';
import { CHUNKED } from './support/header-lines.js';

const HOST = 'Host: x';
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKS = `12\r\n${BODY}\r\n0\r\n\r\n`;

let edge: Edge;

beforeAll(async () => {
  edge = await Edge.start();
});

afterAll(async () => edge.close());

type Row = [what: string, bytes: Buffer];

/** All that becomes of these bytes and a good request behind them. */
async function fateOf(bytes: Buffer): Promise<Readonly<Record<string, unknown>>> {
  const [[client, answer], arrivals] = await edge.withArrivals(async () => {
    const sender = await edge.open(Buffer.concat([bytes, completionOf()]));
    return [sender, errorIn(await sender.response())] as const;
  });
  client.finish();
  return { answer, arrivals, end: await client.ended, rest: client.received.toString() };
}

/** The error is the one answer, and nothing went upstream. */
function refusal(status: number, code: string): Awaited<ReturnType<typeof fateOf>> {
  return { answer: apiError(status, code), arrivals: 0, end: 'fin', rest: '' };
}

const REFUSAL = refusal(400, 'bad_request');

describe('framing', () => {
  const rows: Row[] = [
    ['a length and chunks', requestOf(POST, [HOST, LENGTH, CHUNKED], CHUNKS)],
    ['chunks and a length', requestOf(POST, [HOST, CHUNKED, LENGTH], CHUNKS)],
    ['a length of 0 and chunks', requestOf(POST, [HOST, 'Content-Length: 0', CHUNKED], CHUNKS)],
    ['two lengths that differ', requestOf(POST, [HOST, LENGTH, 'Content-Length: 5'], BODY)],
    ['the same length twice', requestOf(POST, [HOST, LENGTH, LENGTH], BODY)],
    ['a list of lengths', requestOf(POST, [HOST, 'Content-Length: 18, 18'], BODY)],
    ['a length with a sign', requestOf(POST, [HOST, 'Content-Length: +18'], BODY)],
    ['a negative length', requestOf(POST, [HOST, 'Content-Length: -18'], BODY)],
    ['a hexadecimal length', requestOf(POST, [HOST, 'Content-Length: 0x12'], BODY)],
    ['a length with a space in it', requestOf(POST, [HOST, 'Content-Length: 1 8'], BODY)],
    ['an empty length', requestOf(POST, [HOST, 'Content-Length:'], BODY)],
    ['a length beyond 64 bits', requestOf(POST, [HOST, `Content-Length: ${'9'.repeat(20)}`], BODY)],
    ['a coding before chunked', requestOf(POST, [HOST, 'Transfer-Encoding: gzip, chunked'], CHUNKS)],
    ['a coding after chunked', requestOf(POST, [HOST, 'Transfer-Encoding: chunked, gzip'], CHUNKS)],
    ['chunked twice', requestOf(POST, [HOST, 'Transfer-Encoding: chunked, chunked'], CHUNKS)],
    ['chunked twice, in two headers', requestOf(POST, [HOST, CHUNKED, CHUNKED], CHUNKS)],
    ['chunked after another header', requestOf(POST, [HOST, 'Transfer-Encoding: gzip', CHUNKED], CHUNKS)],
    ['the coding identity', requestOf(POST, [HOST, 'Transfer-Encoding: identity', LENGTH], BODY)],
    ['an unknown coding', requestOf(POST, [HOST, 'Transfer-Encoding: xchunked'], CHUNKS)],
    ['chunked with a parameter', requestOf(POST, [HOST, 'Transfer-Encoding: chunked;q=1'], CHUNKS)],
    ['chunked after a control character', requestOf(POST, [HOST, 'Transfer-Encoding: \x0bchunked'], CHUNKS)],
    ['chunked in quotes', requestOf(POST, [HOST, 'Transfer-Encoding: "chunked"'], CHUNKS)],
    ['no coding at all', requestOf(POST, [HOST, 'Transfer-Encoding:'], CHUNKS)],
    ['a space before the colon', requestOf(POST, [HOST, 'Transfer-Encoding : chunked'], CHUNKS)],
    ['a coding of a GET', requestOf('GET /healthz HTTP/1.1', [HOST, 'Transfer-Encoding: gzip'])],
    ['chunks in HTTP/1.0', requestOf('POST /v1/chat/completions HTTP/1.0', [HOST, CHUNKED], CHUNKS)],
    ['a coding in HTTP/1.0', requestOf('GET /healthz HTTP/1.0', [HOST, 'Transfer-Encoding: identity'])],
  ];

  test.each(rows)('ERR-19, ERR-26: %s is refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(REFUSAL);
  });

  const chunks: Row[] = [
    ['a size that is no number', requestOf(POST, [HOST, CHUNKED], `zz\r\n${BODY}`)],
    ['a size with a space', requestOf(POST, [HOST, CHUNKED], `12 \r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size beyond 64 bits', requestOf(POST, [HOST, CHUNKED], `${'f'.repeat(19)}\r\n${BODY}`)],
    ['bare line feeds', requestOf(POST, [HOST, CHUNKED], `12\n${BODY}\n0\n\n`)],
    ['more bytes than its size', requestOf(POST, [HOST, CHUNKED], `12\r\n${BODY}xx\r\n0\r\n\r\n`)],
    ['endless extensions', requestOf(POST, [HOST, CHUNKED], `12;x=${'x'.repeat(20_000)}`)],
    ['a length in the trailer', requestOf(POST, [HOST, CHUNKED], `12\r\n${BODY}\r\n0\r\n${LENGTH}\r\n\r\n`)],
  ];

  test.each(chunks)('ERR-18, ERR-26: a chunk with %s is refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(REFUSAL);
  });
});

describe('Host', () => {
  const rows: Row[] = [
    ['none', requestOf('GET /healthz HTTP/1.1', [])],
    ['none beside an absolute target', requestOf('GET http://x/healthz HTTP/1.1', [])],
    ...[
      [HOST, HOST],
      [HOST, 'host: y'],
      ['Host: a b'],
      ['Host: a/b'],
      ['Host: http://a'],
      ['Host: me@a'],
      ['Host: a\\b'],
      ['Host: a?b'],
      ['Host: "a"'],
      ['Host: <a>'],
      ['Host: a:b'],
      ['Host: a:80:80'],
      ['Host: a:123456'],
      ['Host: ::1'],
      ['Host: [::1'],
      ['Host: [1.2.3.4]'],
      ['Host: [::1]x'],
      ['Host: a%2'],
      ['Host: \xe4'],
    ].map((hosts): Row => [hosts.join(' and '), requestOf('GET /healthz HTTP/1.1', hosts)]),
    ['two, in HTTP/1.0', requestOf('GET /healthz HTTP/1.0', [HOST, HOST])],
  ];

  test.each(rows)('ERR-20, ERR-24: %s is refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(REFUSAL);
  });

  test.each(['x', 'X.example', 'a_b.example:8080', 'a:', '127.0.0.1:80', '[::1]', '[::1]:80', 'a%20b', ''])(
    'ERR-20: the host %j is served',
    async (host) => {
      expect((await edge.answerTo(requestOf('GET /healthz HTTP/1.1', [`Host: ${host}`]))).status).toBe(200);
    },
  );
});

test.each(['0.9', '1.2', '1.9', '2.0', '3.0', '11.1', '1.', 'x'])(
  'ERR-21, HDR-18: HTTP/%s is refused',
  async (version) => {
    expect(await fateOf(requestOf(`GET /healthz HTTP/${version}`, [HOST]))).toEqual(REFUSAL);
  },
);

describe('what is no HTTP/1', () => {
  const rows: Row[] = [
    ['a request line of HTTP/0.9', Buffer.from('GET /healthz\r\n\r\n')],
    ['the preface of HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['TLS', Buffer.from('16030102000100', 'hex')],
    ['a response', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ];

  test.each(rows)('ERR-18, ERR-26: %s is refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(REFUSAL);
  });
});

describe('another protocol', () => {
  const rows: Row[] = [
    ['a GET of RTSP', requestOf('GET /v1/models RTSP/1.1', [HOST])],
    ['a GET of RTSP/1.0', requestOf('GET /healthz RTSP/1.0', [])],
    ['a POST of RTSP', requestOf('POST /v1/chat/completions RTSP/1.1', [HOST, LENGTH], BODY)],
    ['OPTIONS of RTSP', requestOf('OPTIONS * RTSP/1.0', ['CSeq: 1'])],
    [
      'RTSP behind empty lines and many spaces',
      Buffer.from('\r\n\r\nGET  /healthz   RTSP/1.1\r\nHost: x\r\n\r\n'),
    ],
    ['a method of RTSP alone', requestOf('DESCRIBE rtsp://x/y RTSP/1.0', ['CSeq: 1'])],
    ['ICE', requestOf('SOURCE /healthz ICE/1.0', [])],
    ['HTTPS', requestOf('GET /healthz HTTPS/1.1', [HOST])],
  ];

  test.each(rows)('ERR-34, ERR-24: %s is refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(REFUSAL);
  });

  test('ERR-34: a method of RTSP alone is refused behind requests of HTTP, too', async () => {
    const client = await edge.open(GET_HEALTH);
    expect((await client.response()).status).toBe(200);
    await client.send(requestOf('SETUP /healthz RTSP/1.0', [HOST]));
    expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
  });

  test('ERR-34: the path may speak of RTSP', async () => {
    const target = `/v1/models?${'x'.repeat(10_000)}=RTSP/1.0`;
    expect((await edge.answerTo(requestOf(`GET ${target} HTTP/1.1`, [HOST]))).status).toBe(200);
  });
});

describe('lines', () => {
  const get = 'GET /healthz HTTP/1.1';
  const rows: Row[] = [
    ['no request line at all', Buffer.from('Nonsense\r\n\r\n')],
    ['an unknown method', requestOf('FOO /healthz HTTP/1.1', [HOST])],
    ['a method in small letters', requestOf('get /healthz HTTP/1.1', [HOST])],
    ['a space in the target', requestOf('GET /heal thz HTTP/1.1', [HOST])],
    ['a byte beyond ASCII in the target', requestOf('GET /\xe4 HTTP/1.1', [HOST])],
    ['a target in authority form', requestOf('GET x.example:80 HTTP/1.1', [HOST])],
    ['a folded header', requestOf(get, [HOST, 'X-A: 1', ' 2'])],
    ['a fold before the first header', requestOf(get, [' X-A: 1', HOST])],
    ['bare line feeds', Buffer.from(`${get}\nHost: x\n\n`)],
    ['a bare line feed behind one header', Buffer.from(`${get}\r\nHost: x\nX-A: 1\r\n\r\n`)],
    ['a bare carriage return', Buffer.from(`${get}\r\nHost: x\rX-A: 1\r\n\r\n`)],
    ['a NUL in a header', requestOf(get, [HOST, 'X-A: a\0b'])],
    ['a control character in a header', requestOf(get, [HOST, 'X-A: a\x01b'])],
    ['DEL in a header', requestOf(get, [HOST, 'X-A: a\x7fb'])],
    ['a space in the name of a header', requestOf(get, [HOST, 'X A: b'])],
    ['a space behind the name of a header', requestOf(get, [HOST, 'X-A : b'])],
    ['a NUL in the name of a header', requestOf(get, [HOST, 'X\0A: b'])],
    ['an empty name of a header', requestOf(get, [HOST, ': b'])],
    ['a header without a colon', requestOf(get, [HOST, 'X-A'])],
  ];

  test.each(rows)('ERR-18, HDR-18: %s is refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(REFUSAL);
  });
});

describe('size of the headers', () => {
  const rows: Row[] = [
    ['one of 20 KB', requestOf(POST, [HOST, `X-A: ${'a'.repeat(20_000)}`])],
    ['many with 20 KB together', requestOf(POST, [HOST, ...Array.from({ length: 200 }, headerOf100Bytes)])],
    ['a target of 20 KB', requestOf(`GET /${'a'.repeat(20_000)} HTTP/1.1`, [HOST])],
    ['a name of 20 KB', requestOf(POST, [HOST, `${'a'.repeat(20_000)}: b`])],
    ['countless small ones', requestOf(POST, [HOST, ...Array.from({ length: 9_000 }, () => 'a:b')])],
    [
      'a trailer of 20 KB',
      requestOf(POST, [HOST, CHUNKED], `12\r\n${BODY}\r\n0\r\nX-A: ${'a'.repeat(20_000)}`),
    ],
  ];

  test.each(rows)('ERR-22, HDR-18: %s: refused', async (_, bytes) => {
    expect(await fateOf(bytes)).toEqual(refusal(431, 'headers_too_large'));
  });
});

function headerOf100Bytes(_: unknown, n: number): string {
  return `X-${n}: `.padEnd(100, 'a');
}

describe('Expect', () => {
  test.each([
    ['another one', ['Expect: 200-ok']],
    ['none', ['Expect:']],
    ['another one beside it', ['Expect: 100-continue, 200-ok']],
    ['another one in a second header', ['Expect: 100-continue', 'Expect: 200-ok']],
    ['something that contains it', ['Expect: x-100-continue']],
  ])('ERR-23, ERR-24: %s is refused', async (_, headers) => {
    expect(await fateOf(completionOf(BODY, headers))).toEqual(refusal(417, 'expectation_failed'));
  });

  test('ERR-23: another one is refused in HTTP/1.0 and with a GET, too', async () => {
    expect(await fateOf(requestOf('GET /healthz HTTP/1.0', ['Expect: x']))).toEqual(
      refusal(417, 'expectation_failed'),
    );
    expect(await fateOf(requestOf('GET /healthz HTTP/1.1', [HOST, 'Expect: x']))).toEqual(
      refusal(417, 'expectation_failed'),
    );
  });
});

describe('CONNECT', () => {
  test.each(['x.example:443', '/healthz', `http://x/${MODEL}`])(
    'ERR-25, ERR-26: to %s gets the connection closed, and nothing else',
    async (target) => {
      const [client, arrivals] = await edge.withArrivals(async () => {
        const sender = await edge.open(
          Buffer.concat([requestOf(`CONNECT ${target} HTTP/1.1`, [HOST]), completionOf()]),
        );
        await sender.cut;
        return sender;
      });
      expect([client.received.toString(), arrivals]).toEqual(['', 0]);
    },
  );
});

test('ERR-17: a path that cannot be decoded costs no connection', async () => {
  const client = await edge.open(Buffer.concat([requestOf('GET /%zz HTTP/1.1', [HOST]), GET_HEALTH]));
  expect(errorIn(await client.response())).toEqual(
    apiError(400, 'bad_request', { connection: 'keep-alive' }),
  );
  expect((await client.response()).status).toBe(200);
});
