import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RequestRecord } from '../src/request/request-record.js';
import { RequestTelemetry } from '../src/telemetry/request-telemetry.service.js';
import { metricsAfter, metricsOf } from './support/metrics.js';
import {
  apiError,
  bodyOf,
  completionOf,
  Edge,
  errorIn,
  GET_HEALTH,
  MODEL,
  OTHER_MODEL,
  POST,
  requestOf,
} from './support/edge.js';
import { eventually } from './support/router.js';

const OTHER = completionOf(`{"model":"${OTHER_MODEL}"}`);
const STREAM = completionOf(`{"model":"${MODEL}","stream":true}`);
const OTHER_STREAM = completionOf(`{"model":"${OTHER_MODEL}","stream":true}`);
const GARBAGE = Buffer.from('Nonsense\r\n\r\n');

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.start({ MAX_REQUEST_BYTES: '1000' });
});

afterEach(async () => edge.close());

/** Lets the answers of {@link MODEL} wait for a word. */
function withhold(): { letGo: () => void } {
  return { letGo: edge.holdBack(`{"model":"${MODEL}"}`, { 'content-type': 'application/json' }) };
}

async function activeRequests(): Promise<number> {
  return (await metricsOf(edge.router)).value('requests_active');
}

/** Of the requests that have not ended. */
function records(): RequestRecord[] {
  return [...edge.router.app.get(RequestTelemetry).unfinished];
}

async function selections(): Promise<number> {
  return (await metricsOf(edge.router)).value('selection_total', { model: MODEL, status: 200 });
}

describe('pipelined requests', () => {
  test('RTE-18: are answered in their order, whichever answer is ready first, and each reaches the upstream once', async () => {
    const { letGo } = withhold();
    const client = await edge.open(Buffer.concat([completionOf(), OTHER, GET_HEALTH, OTHER]));
    const requests = [];
    for (let i = 0; i < 3; i += 1) requests.push(await edge.chutes.nextRequest());
    for (const request of requests.filter(({ model }) => model === OTHER_MODEL)) await request.ended;
    expect(client.bytesReceived).toBe(0);
    letGo();

    const bodies = [];
    for (let i = 0; i < 4; i += 1) bodies.push(JSON.parse((await client.response()).body.toString()));
    expect(bodies).toMatchObject([
      { model: MODEL },
      { model: OTHER_MODEL },
      { status: 'ok' },
      { model: OTHER_MODEL },
    ]);
    expect(edge.chutes.count()).toBe(3);
  });

  test('RTE-18: may ask for streams', async () => {
    const client = await edge.open(Buffer.concat([STREAM, OTHER_STREAM, STREAM]));
    for (const model of [MODEL, OTHER_MODEL, MODEL]) {
      const { isComplete, body } = await client.response();
      expect(isComplete).toBe(true);
      expect(body.toString()).toContain(`"model":"${model}"`);
      expect(body.toString()).toMatch(/data: \[DONE\]\n\n$/);
    }
    expect(edge.chutes.count()).toBe(3);
  });

  test('RTE-18: a connection that ends with an answer leaves those behind it to be asked again', async () => {
    const bytes = completionOf(undefined, ['Connection: close']);
    const course = await edge.courseOf(Buffer.concat([bytes, OTHER]));
    expect(course).toEqual({ status: 200, connection: 'close', end: 'fin', rest: '', arrivals: 1 });
  });
});

describe('a client that leaves', () => {
  test.each(['close', 'reset', 'finish'] as const)(
    'RTE-18, ATT-28: aborts all it has asked for, and each is counted (%s)',
    async (leave) => {
      edge.chutes.behave(MODEL, 'silent');
      const client = await edge.open(Buffer.concat([completionOf(), completionOf(), completionOf()]));
      const requests = [];
      for (let i = 0; i < 3; i += 1) requests.push(await edge.chutes.nextRequest());
      client[leave]();
      for (const request of requests) expect(await request.ended).toBe('client-gone');
      const metrics = await metricsAfter(edge.router, 3);
      expect(metrics.by('status', 'requests_total')).toEqual({ 499: 3 });
      expect(metrics.value('client_aborts_total', { phase: 'waiting' })).toBe(3);
    },
  );

  test('RTE-18, ATT-28: aborts streams that run and streams that wait for their turn', async () => {
    edge.chutes.behave(MODEL, 'stall');
    edge.chutes.behave(OTHER_MODEL, 'silent');
    const client = await edge.open(Buffer.concat([STREAM, STREAM, OTHER]));
    const requests = [];
    for (let i = 0; i < 3; i += 1) requests.push(await edge.chutes.nextRequest());
    await client.receives('data: ');
    await eventually(async () => (await selections()) === 2);
    client.reset();
    for (const request of requests) expect(await request.ended).toBe('client-gone');
    expect((await metricsAfter(edge.router, 3)).by('status', 'requests_total')).toEqual({ 499: 3 });
    expect(edge.complaints).toEqual([]);
  });
});

describe('a broken request', () => {
  test('ERR-27: behind a sound one does not keep that from its answer', async () => {
    const { letGo } = withhold();
    const client = await edge.open(Buffer.concat([completionOf(), GARBAGE]));
    await edge.chutes.nextRequest();
    // More of it is dropped, too.
    await client.send(Buffer.concat([GARBAGE, OTHER]));
    await edge.answerTo(GET_HEALTH);
    letGo();
    const response = await client.response();
    expect([response.status, response.isComplete]).toEqual([200, true]);
    expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
    expect(await client.ended).toBe('fin');
    expect(edge.chutes.count()).toBe(1);
  });

  test('ERR-27: behind a stream does not cut that', async () => {
    const client = await edge.open(Buffer.concat([STREAM, Buffer.from('surplus'), GARBAGE]));
    const response = await client.response();
    expect([response.status, response.isComplete]).toEqual([200, true]);
    expect(response.body.toString()).toMatch(/data: \[DONE\]\n\n$/);
    expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
  });

  test('ERR-26, ERR-27: whose body breaks is refused in its turn', async () => {
    const broken = requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked'], '5\r\n{"mod\r\nzz\r\n');
    const client = await edge.open(Buffer.concat([completionOf(), OTHER, broken, OTHER]));
    expect((await client.response()).status).toBe(200);
    expect((await client.response()).status).toBe(200);
    expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
    expect(edge.chutes.count()).toBe(2);
    await metricsAfter(edge.router, 3);
    const refused = edge.router.requestLogs.find(({ status }) => status === 400);
    expect(refused).toMatchObject({ ending: 'complete', bytes_in: 5 });
    expect(refused?.['bytes_out']).toBeGreaterThan(100);
  });

  test.each(['/readyz', '/v1/models', '/nowhere'])(
    'ERR-27: whose broken body nobody reads is answered before its connection ends: %s',
    async (path) => {
      const bytes = requestOf(`GET ${path} HTTP/1.1`, ['Host: x', 'Transfer-Encoding: chunked'], 'zz\r\n');
      const client = await edge.open(Buffer.concat([bytes, OTHER]));
      expect((await client.response()).status).toBe(path === '/nowhere' ? 404 : 200);
      expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
      expect([edge.chutes.count(), edge.complaints]).toEqual([0, []]);
    },
  );

  test('ERR-26, ERR-27: whose framing is ambiguous is refused in its turn, and what follows is dropped', async () => {
    const { letGo } = withhold();
    const ambiguous = requestOf(POST, ['Host: x', 'Host: y', 'Content-Length: 0']);
    const client = await edge.open(Buffer.concat([completionOf(), ambiguous, OTHER]));
    await edge.chutes.nextRequest();
    letGo();
    expect((await client.response()).status).toBe(200);
    expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
    expect(await client.ended).toBe('fin');
    expect(edge.chutes.count()).toBe(1);
  });

  test.each([
    ['its length', completionOf(bodyOf(2_000))],
    [
      'its chunk',
      requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked'], `7d0\r\n${bodyOf(2_000)}\r\n0\r\n\r\n`),
    ],
  ])('ERR-24: that is too large by %s is the last one that is read', async (_, tooLarge) => {
    const { letGo } = withhold();
    const client = await edge.open(Buffer.concat([completionOf(), tooLarge]));
    await edge.chutes.nextRequest();
    await eventually(() => records().some(({ firstByteAtMs }) => firstByteAtMs !== undefined));
    await client.send(OTHER);
    expect((await edge.answerTo(GET_HEALTH)).status).toBe(200);
    letGo();
    expect((await client.response()).status).toBe(200);
    expect(errorIn(await client.response())).toEqual(apiError(413, 'request_too_large'));
    expect(await client.ended).toBe('fin');
    expect(edge.chutes.count()).toBe(1);
  });

  test('ERR-27, ATT-28: does not keep a client that leaves from being noticed', async () => {
    edge.chutes.behave(MODEL, 'silent');
    for (const leave of ['finish', 'reset'] as const) {
      const client = await edge.open(Buffer.concat([completionOf(), GARBAGE]));
      const request = await edge.chutes.nextRequest();
      client[leave]();
      expect(await request.ended).toBe('client-gone');
    }
    await eventually(async () => (await activeRequests()) === 0);
  });

  test('ATT-28: nor does a large body behind it that nobody reads', async () => {
    edge.chutes.behave(MODEL, 'silent');
    const unread = Buffer.concat([
      Buffer.from('POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 175072\r\n\r\n'),
      Buffer.alloc(175_072, 'x'),
    ]);
    const client = await edge.open(Buffer.concat([completionOf(), unread]));
    const request = await edge.chutes.nextRequest();
    client.reset();
    expect(await request.ended).toBe('client-gone');
  });

  test('ERR-27: half of a request and no more is a client that has left', async () => {
    edge.chutes.behave(MODEL, 'silent');
    const client = await edge.open(Buffer.concat([completionOf(), OTHER.subarray(0, 20)]));
    const request = await edge.chutes.nextRequest();
    client.finish();
    expect(await request.ended).toBe('client-gone');
    await client.cut;
    expect(client.bytesReceived).toBe(0);
    expect((await metricsAfter(edge.router, 1)).by('status', 'requests_total')).toEqual({ 499: 1 });
  });
});
