import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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
import { metricsAfter } from './support/metrics.js';
import type { RawClient } from './support/raw-client.js';
import { headerOf } from './support/raw-response.js';

const HEADERS_MS = 200;
const SLOW_HEADERS = { REQUEST_HEADERS_TIMEOUT_MS: String(HEADERS_MS) };
const SLOW_BODIES = { REQUEST_BODY_TIMEOUT_MS: '300' };
/** Between two bytes of a client that dribbles: much less than any timeout. */
const PAUSE_MS = 20;

const POST_HEAD = completionOf().subarray(0, 20);
const REST_OF_POST = completionOf().subarray(20);
const HEAD = requestOf(POST, ['Host: x', 'Content-Length: 1000']);
const CHUNKED_HEAD = requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked']);

let edge: Edge;

afterEach(async () => edge.close());

/** Sends a piece again and again, until there is an answer or `times` are over. */
async function dribble(client: RawClient, piece: string, times = Infinity): Promise<void> {
  const { bytesReceived } = client;
  const untilMs = performance.now() + 10_000;
  for (let i = 0; i < times && client.bytesReceived === bytesReceived; i += 1) {
    if (performance.now() > untilMs) throw new Error('It can dribble for ever.');
    await client.send(piece);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** One that sends this and then dribbles until it is answered, or stops. Nothing of it has reached the upstream. */
async function slowClient(start: string | Buffer, piece: string): Promise<RawClient> {
  const [client, arrivals] = await edge.withArrivals(async () => {
    const sender = await edge.open(start);
    if (piece !== '') await dribble(sender, piece);
    return sender;
  });
  expect(arrivals).toBe(0);
  return client;
}

/** All that a client still receives. @param leaves whether it then says that nothing more will come */
async function restFor(
  client: RawClient,
  { leaves = false } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const answer = errorIn(await client.response());
  if (leaves) client.finish();
  return { answer, end: await client.ended, rest: client.received.toString() };
}

const TIMEOUT = { answer: apiError(408, 'request_timeout'), end: 'fin', rest: '' };

describe('headers', () => {
  beforeEach(async () => {
    edge = await Edge.start(SLOW_HEADERS);
  });

  test.each([
    ['that stop', `${POST}\r\nHost: x\r\n`, ''],
    ['that dribble', `${POST}\r\nHost: x\r\nX-Long: `, 'x'],
    ['of which lines dribble', `${POST}\r\nHost: x\r\n`, 'X-A: b\r\n'],
    ['behind empty lines', '\r\n', '\r\n'],
  ])('CFG-23: %s are given up with 408', async (_, start, piece) => {
    const client = await slowClient(start, piece);
    expect(await restFor(client)).toEqual(TIMEOUT);
  });

  test('CFG-23: of a later request on the connection are given up, too', async () => {
    const client = await edge.open(GET_HEALTH);
    expect((await client.response()).status).toBe(200);
    await client.send(GET_HEALTH.subarray(0, 20));
    expect(await restFor(client)).toEqual(TIMEOUT);
  });

  test('CFG-23, ERR-27: that stop behind a sound request do not keep that from its answer', async () => {
    edge.chutes.behave(MODEL, { kind: 'slow-headers', ms: 3 * HEADERS_MS });
    const client = await edge.open(Buffer.concat([completionOf(), GET_HEALTH.subarray(0, 20)]));
    expect((await client.response()).status).toBe(200);
    expect(await restFor(client)).toEqual(TIMEOUT);
  });

  test('CFG-23, ERR-26: that go on after their time behind a sound request are not a request any more', async () => {
    const letGo = edge.holdBack('late');
    const client = await edge.open(Buffer.concat([completionOf(), POST_HEAD]));
    // One that came later shows how time passes.
    expect(await restFor(await edge.open())).toEqual(TIMEOUT);
    await client.send(REST_OF_POST);
    expect((await edge.answerTo(GET_HEALTH)).status).toBe(200);
    letGo();
    expect((await client.response()).body.toString()).toBe('late');
    expect(await restFor(client)).toEqual(TIMEOUT);
    expect(edge.chutes.count()).toBe(1);
  });

  test('CFG-23, ERR-26: that go on after the 408 are not a request any more', async () => {
    const [client, arrivals] = await edge.withArrivals(async () => {
      const sender = await edge.open(POST_HEAD, { outlastsEnd: true });
      await sender.receives('request_timeout');
      await sender.send(REST_OF_POST);
      return sender;
    });
    expect(arrivals).toBe(0);
    expect(await restFor(client)).toEqual(TIMEOUT);
  });
});

describe('a connection', () => {
  beforeEach(async () => {
    edge = await Edge.start(SLOW_HEADERS);
  });

  test('CFG-36: that never sends a byte is closed with 408', async () => {
    expect(await restFor(await edge.open())).toEqual(TIMEOUT);
  });

  test('CFG-36: that is idle after an answer is closed', async () => {
    const server = edge.router.app.getHttpServer();
    expect(server.keepAliveTimeout).toBe(72_000);
    server.keepAliveTimeout = 50;
    server.keepAliveTimeoutBuffer = 0;
    const client = await edge.open(GET_HEALTH);
    expect((await client.response()).status).toBe(200);
    expect(await client.ended).toBe('fin');
    expect(client.received.toString()).toBe('');
  });

  test('CFG-36: may be idle for longer than headers may take', async () => {
    const client = await edge.open(GET_HEALTH);
    const response = await client.response();
    expect(headerOf(response, 'keep-alive')).toBe('timeout=72');
    // One that is slow with its headers shows how time passes.
    expect(await restFor(await edge.open())).toEqual(TIMEOUT);
    await client.send(GET_HEALTH);
    expect((await client.response()).status).toBe(200);
  });
});

describe('a body', () => {
  beforeEach(async () => {
    edge = await Edge.start(SLOW_BODIES);
  });

  test.each([
    ['that never begins', HEAD, ''],
    ['that stops', Buffer.concat([HEAD, Buffer.from('{"model":')]), ''],
    ['that dribbles', HEAD, ' '],
    ['of which chunks dribble', CHUNKED_HEAD, '1\r\n \r\n'],
    ['of which a chunk’s extensions dribble', Buffer.concat([CHUNKED_HEAD, Buffer.from('1;x=')]), 'x'],
    ['without its last chunk', Buffer.concat([CHUNKED_HEAD, Buffer.from(`12\r\n${BODY}\r\n`)]), ''],
    [
      'whose trailer dribbles',
      Buffer.concat([CHUNKED_HEAD, Buffer.from(`12\r\n${BODY}\r\n0\r\n`)]),
      'X: y\r\n',
    ],
  ])('CFG-23: %s is given up with 408', async (_, start, piece) => {
    const client = await slowClient(start, piece);
    expect(await restFor(client, { leaves: true })).toEqual(TIMEOUT);
    const metrics = await metricsAfter(edge.router, 2);
    expect(metrics.by('status', 'requests_total')).toEqual({ 200: 1, 408: 1 });
  });

  test('CFG-23: may take longer than headers, and as long as the router takes to answer', async () => {
    await edge.close();
    edge = await Edge.start({ REQUEST_HEADERS_TIMEOUT_MS: '100', REQUEST_BODY_TIMEOUT_MS: '60000' });
    edge.chutes.behave(MODEL, { kind: 'slow-headers', ms: 300 });
    const times = 15;
    const client = await edge.open(
      requestOf(POST, ['Host: x', `Content-Length: ${BODY.length + times}`], BODY),
    );
    await dribble(client, ' ', times);
    expect((await client.response()).status).toBe(200);
  });

  test.each([
    ['that is not served', 'POST /nowhere HTTP/1.1', 404],
    ['that needs none', 'GET /healthz HTTP/1.1', 200],
  ])('CFG-36: for a path %s cannot dribble for ever', async (_, line, status) => {
    await edge.close();
    edge = await Edge.start({ ...SLOW_HEADERS, ...SLOW_BODIES });
    const client = await edge.open(requestOf(line, ['Host: x', 'Content-Length: 1000000']));
    expect((await client.response()).status).toBe(status);
    await dribble(client, ' ');
    expect(await restFor(client)).toEqual(TIMEOUT);
  });
});
