import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chatRequest } from './support/chat-request.js';
import { RawStage } from './support/raw-stage.js';
import { response } from './support/raw-upstream.js';
import { eventually, type LogLine } from './support/router.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const VALID = `00-${TRACE}-00f067aa0ba902b7-01`;

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => {
  await stage.clear();
});

/** The trace context in a request as it stood on the wire, line by line. */
function traceLines(head: string): string[] {
  return head.split('\r\n').filter((line) => /^trace/i.test(line));
}

/** Sends header lines, each character a byte; resolves when the answer is there. */
async function send(headers: readonly string[], model = 'first'): Promise<void> {
  const client = await stage.send(Buffer.from(chatRequest({ model, headers }), 'latin1'));
  await client.response();
}

async function requestLine(): Promise<LogLine> {
  await eventually(() => stage.router.requestLogs.length > 0);
  return stage.router.requestLogs[0] ?? {};
}

describe('traceparent and tracestate', () => {
  test.each([
    ['a usual pair', [`traceparent: ${VALID}`, 'tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE']],
    ['names in another case', [`TraceParent: ${VALID}`, 'TRACESTATE: a=1']],
    [
      'several lines',
      [`traceparent: ${VALID}`, 'tracestate: a=1, b=2', 'tracestate: c=3', 'tracestate: a=4'],
    ],
    ['inner spaces, tabs and empty members', [`traceparent: ${VALID}`, 'tracestate: a=1 ,\t,, b= 2 3 ;x']],
    ['an empty state', [`traceparent: ${VALID}`, 'tracestate: ']],
    ['a state without a parent', ['tracestate: a=1']],
    ['a version to come', [`traceparent: cc-${TRACE}-00f067aa0ba902b7-01-what-the-future-will-be`]],
    ['a parent that is not valid', ['traceparent: 00-00000000000000000000000000000000-XYZ-1']],
    ['two parents', [`traceparent: ${VALID}`, `traceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`]],
    ['bytes beyond ASCII', ['traceparent: \xff\x80', 'tracestate: \xc3\xa4=\xe9']],
    ['a long state', [`traceparent: ${VALID}`, `tracestate: a=${'x'.repeat(4_000)}`]],
  ])('HDR-3: arrive byte for byte: %s', async (_, headers) => {
    await send(headers);
    const { head } = await stage.upstream.request(1);
    expect(traceLines(head)).toEqual(headers);
  });

  test('HDR-3: arrive at every candidate, in one and the same trace', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(response('503 Service Unavailable', [], ''));
    });
    const headers = [`traceparent: ${VALID}`, 'tracestate: a=1', 'tracestate: b=2'];
    await send(headers, 'first,second');
    expect(stage.upstream.models).toEqual(['first', 'second']);
    expect(stage.upstream.requests.map(({ head }) => traceLines(head))).toEqual([headers, headers]);
    expect(await requestLine()).toMatchObject({ attempts: 2, trace_id: TRACE });
  });

  test('HDR-3, OBS-20: are not made up', async () => {
    await send([]);
    expect(traceLines((await stage.upstream.request(1)).head)).toEqual([]);
    expect(await requestLine()).not.toHaveProperty('trace_id');
  });
});

describe('the trace id in the log line', () => {
  test('OBS-20: is there when the request fails in the router itself, too', async () => {
    await send([`traceparent: ${VALID}`], 'nobody/knows');
    expect(await requestLine()).toMatchObject({ status: 400, trace_id: TRACE });
    expect(stage.upstream.requests).toEqual([]);
  });

  test('OBS-20: is that of a version to come, too', async () => {
    await send([`traceparent: cc-${TRACE}-00f067aa0ba902b7-01-what-the-future-will-be`]);
    expect(await requestLine()).toMatchObject({ trace_id: TRACE });
  });

  test.each([
    ['not valid', ['traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01']],
    ['not one', [`traceparent: ${VALID}`, `traceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`]],
    ['not there', [`tracestate: ${VALID}`]],
  ])('OBS-20: is missing when the parent is %s', async (_, headers) => {
    await send(headers);
    expect(await requestLine()).not.toHaveProperty('trace_id');
  });
});
