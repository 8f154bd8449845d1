import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RecordedRequest } from '../src/simulator/recorded-request.js';
import { apiError, BODY, completionOf, Edge, errorIn, MODEL, POST, requestOf } from './support/edge.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { RawClient } from './support/raw-client.js';
import { RawUpstream } from './support/raw-upstream.js';
import { startRouter } from './support/router.js';

const STREAM = `{"model":"${MODEL}","stream":true}`;

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.start();
});

afterEach(async () => edge.close());

/** Sends a request for a completion that is to be served. */
async function serve(bytes: Buffer): Promise<{ response: RawResponse; request: RecordedRequest }> {
  const response = await edge.answerTo(bytes);
  expect(response.status).toBe(200);
  return { response, request: await edge.chutes.nextRequest() };
}

function namesOf({ rawHeaders }: Pick<RecordedRequest, 'rawHeaders'>): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
}

describe('targets', () => {
  test.each(['http://x', 'HTTPS://other.example:8080', 'http://me:secret@x'])(
    'RTE-15: a completion at %s is served as its path and query',
    async (origin) => {
      const line = `POST ${origin}/v1/chat/completions?a=1&a=%2F HTTP/1.1`;
      const { request } = await serve(requestOf(line, ['Host: x', 'Content-Length: 18'], BODY));
      expect([request.path, request.body.toString()]).toEqual(['/v1/chat/completions?a=1&a=%2F', BODY]);
      expect(request.rawHeaders.join()).not.toMatch(/example|secret/);
    },
  );

  test.each(['/v1/ch%61t/completions', '/%761/chat/completions'])(
    'RTE-22: a completion at %s is one like any other, logged and counted',
    async (path) => {
      const line = `POST ${path}?a=%61 HTTP/1.1`;
      const { request } = await serve(requestOf(line, ['Host: x', 'Content-Length: 18'], BODY));
      expect([request.path, request.body.toString()]).toEqual(['/v1/chat/completions?a=%61', BODY]);
      expect(edge.router.requestLogs.at(-1)).toMatchObject({ mode: 'direct', status: 200 });
    },
  );

  test.each([
    ['GET http://x/v1/models/a%2Fbest', 200],
    ['GET http://x/healthz?now', 200],
    ['GET http://x', 404],
    ['GET http://x?path=/healthz', 404],
    ['DELETE http://x/healthz', 405],
    ['GET ftp://x/healthz', 404],
    ['GET //x/healthz', 404],
    ['GET *', 404],
    ['OPTIONS *', 404],
  ])('RTE-12, RTE-15: %s is answered with %d', async (line, status) => {
    const response = await edge.answerTo(requestOf(`${line} HTTP/1.1`, ['Host: x']));
    expect(response.status).toBe(status);
  });
});

describe('HTTP/1.0', () => {
  const POST_10 = 'POST /v1/chat/completions HTTP/1.0';
  const LENGTH = `Content-Length: ${BODY.length}`;
  const KEEP = 'Connection: keep-alive';

  test('RTE-16: a request without a Host is served, and its connection closed', async () => {
    const client = await edge.open(requestOf(POST_10, [LENGTH], BODY));
    const response = await client.response();
    expect([response.status, response.isComplete, headerOf(response, 'connection')]).toEqual([
      200,
      true,
      'close',
    ]);
    expect(await client.ended).toBe('fin');
  });

  test('RTE-16: a connection that is to stay open serves further requests', async () => {
    const client = await edge.open(requestOf(POST_10, [LENGTH, KEEP], BODY));
    const first = await client.response();
    expect([first.status, headerOf(first, 'connection')]).toEqual([200, 'keep-alive']);
    await client.send(requestOf(POST_10, [LENGTH], BODY));
    expect((await client.response()).status).toBe(200);
    expect(await client.ended).toBe('fin');
  });

  test('RTE-16: a stream comes without chunk framing and ends with its connection', async () => {
    const { length } = STREAM;
    const client = await edge.open(requestOf(POST_10, [`Content-Length: ${length}`, KEEP], STREAM));
    const response = await client.response();
    expect([response.status, response.chunks, response.isComplete]).toEqual([200, 0, true]);
    expect(headerOf(response, 'transfer-encoding')).toBeUndefined();
    expect(headerOf(response, 'connection')).toBe('close');
    expect(response.body.toString()).toMatch(/^data: \{[^]*\n\ndata: \[DONE\]\n\n$/);
    expect(await client.ended).toBe('fin');
  });

  test('RTE-19: an Expect: 100-continue is nothing to wait for', async () => {
    const { response } = await serve(requestOf(POST_10, [LENGTH, 'Expect: 100-continue'], BODY));
    expect(response.isComplete).toBe(true);
  });
});

describe('Upgrade', () => {
  test.each([
    ['a web socket', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']],
    ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']],
  ])('RTE-17, HDR-1: to %s is not followed', async (_, headers) => {
    const { response, request } = await serve(completionOf(BODY, headers));
    expect(headerOf(response, 'upgrade')).toBeUndefined();
    expect(request.body.toString()).toBe(BODY);
    expect(namesOf(request).filter((name) => /^(?:upgrade|http2-settings)$/.test(name))).toEqual([]);
    expect(request.headers.connection).toBe('keep-alive');
  });

  test('RTE-17: is the last request of its connection, whatever has come with it', async () => {
    const upgrading = completionOf(BODY, ['Connection: Upgrade', 'Upgrade: h2c']);
    const course = await edge.courseOf(Buffer.concat([upgrading, completionOf()]));
    expect(course).toEqual({ status: 200, connection: 'close', end: 'fin', rest: '', arrivals: 1 });
  });
});

describe('Expect: 100-continue', () => {
  const EXPECT = 'Expect: 100-Continue';
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
  const headOf = (headers: readonly string[], line = POST) => requestOf(line, [...headers, EXPECT]);

  test('RTE-19, HDR-4: the body is asked for, then the request served', async () => {
    const client = await edge.open(headOf(['Host: x', 'Content-Length: 18']));
    await client.receives(CONTINUE);
    await client.send(BODY);
    expect((await client.response()).status).toBe(200);
    expect(namesOf(await edge.chutes.nextRequest())).not.toContain('expect');
  });

  test.each([
    [413, 'request_too_large', ['Host: x', 'Content-Length: 99999999']],
    [415, 'unsupported_encoding', ['Host: x', 'Content-Length: 18', 'Content-Encoding: gzip']],
    [400, 'bad_request', ['Content-Length: 18']],
  ])('RTE-19: a request refused with %d %s is not asked for its body', async (status, code, headers) => {
    const client = await edge.open(headOf(headers));
    await client.receives('"code"');
    expect(client.received.toString()).not.toContain('100 Continue');
    expect(errorIn(await client.response())).toEqual(apiError(status, code));
  });

  test('RTE-19: a request that nobody serves is not asked for its body, and its connection closed', async () => {
    const client = await edge.open(headOf(['Host: x', 'Content-Length: 18'], 'POST /nowhere HTTP/1.1'));
    await client.receives('"code"');
    expect(client.received.toString()).not.toContain('100 Continue');
    const response = await client.response();
    expect([response.status, headerOf(response, 'connection')]).toEqual([404, 'close']);
  });
});

describe('bodies', () => {
  test.each([
    ['GET /healthz', 200],
    ['GET /v1/models', 200],
    ['DELETE /v1/models', 405],
    ['POST /nowhere', 404],
    ['PUT /v1/chat/completions', 405],
  ])('RTE-20: that of %s is dropped, and the next request answered', async (line, status) => {
    const rest = Buffer.concat([requestOf('GET /v1/models/none HTTP/1.1', ['Host: x']), completionOf()]);
    for (const [framing, body] of [
      ['Content-Length: 7', 'GET / \r'],
      ['Transfer-Encoding: chunked', '7\r\nGET / \r\r\n0\r\n\r\n'],
    ] as const) {
      const bytes = requestOf(`${line} HTTP/1.1`, ['Host: x', framing], body);
      const client = await edge.open(Buffer.concat([bytes, rest]));
      const statuses = [];
      for (let i = 0; i < 3; i += 1) statuses.push((await client.response()).status);
      expect(statuses).toEqual([status, 404, 200]);
    }
  });

  test('REQ-5: a POST without a body is invalid JSON, and its connection stays open', async () => {
    const client = await edge.open(Buffer.concat([requestOf(POST, ['Host: x']), completionOf()]));
    expect(errorIn(await client.response())).toEqual(
      apiError(400, 'invalid_json', { connection: 'keep-alive' }),
    );
    expect((await client.response()).status).toBe(200);
  });
});

describe('headers', () => {
  test('HDR-2, HDR-6: whatever spelling the client chose, what is to stay behind does', async () => {
    const staying = [
      'X-One',
      'x_two',
      'X-THREE',
      'X_Forwarded_For',
      'x-forwarded_proto',
      'X_REAL-IP',
      'cf_ray',
    ];
    const headers = ['cOnNeCtIoN: keep-alive, x-One ,X_TWO', 'Connection:x-three'];
    headers.push(...staying.map((name) => `${name}: stay`));
    const { request } = await serve(completionOf(BODY, [...headers, 'X_Four: go', 'Two: go']));
    expect(request.rawHeaders.filter((value) => value === 'stay')).toEqual([]);
    expect(request.rawHeaders.filter((value) => value === 'go')).toHaveLength(2);
  });

  test('ERR-22, HDR-3: of countless small headers none is lost', async () => {
    const upstream = await RawUpstream.start();
    const router = await startRouter(edge.chutes, { BACKEND_BASE_URL: upstream.url });
    try {
      const names = Array.from({ length: 2_500 }, (_, n) => `a${n}`);
      const client = await RawClient.open(
        router.port,
        completionOf(
          BODY,
          names.map((name) => `${name}:`),
        ),
      );
      expect((await client.response()).status).toBe(200);
      const lines = (await upstream.request(1)).head.split('\r\n');
      expect(lines.flatMap((line) => /^a\d+(?=:)/.exec(line) ?? [])).toEqual(names);
    } finally {
      await router.close();
      await upstream.close();
    }
  });

  test('ERR-22: a header of nearly 16 KB is served', async () => {
    const { request } = await serve(completionOf(BODY, [`X-Long: ${'x'.repeat(15_500)}`]));
    expect(request.headers['x-long']).toHaveLength(15_500);
  });
});
