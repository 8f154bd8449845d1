import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CHUNKED, CLOSE, JSON_TYPE } from './support/header-lines.js';
import type { RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RawConnection } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const EVENT_STREAM = 'Content-Type: text/event-stream; charset=utf-8';
const EVENT = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

type Break = (connection: RawConnection) => unknown;
const close: Break = (connection) => connection.fin();
const reset: Break = (connection) => connection.reset();

/** Ways to break off an answer that has begun. */
const BREAKS: readonly [
  what: string,
  headers: readonly string[],
  framed: (text: string) => string,
  end: Break,
][] = [
  ['closes short of the length', ['Content-Length: 1000'], String, close],
  ['closes short of the length, as announced', ['Content-Length: 1000', CLOSE], String, close],
  ['resets short of the length', ['Content-Length: 1000'], String, reset],
  ['resets short of the length, a close announced', ['Content-Length: 1000', CLOSE], String, reset],
  ['closes without the final chunk', [CHUNKED], chunk, close],
  ['closes without the final chunk, as announced', [CHUNKED, CLOSE], chunk, close],
  ['resets without the final chunk', [CHUNKED], chunk, reset],
  ['resets without the final chunk, a close announced', [CHUNKED, CLOSE], chunk, reset],
  ['closes inside a chunk', [CHUNKED], (text) => `1000\r\n${text}`, close],
  ['sends a bad chunk', [CHUNKED], chunk, async (connection) => connection.write('zz\r\n')],
  ['resets where a close would have been the end', [], String, reset],
];

/** The answer to a request whose upstream writes `text` and breaks when the client has it. */
async function askBroken(
  [, headers, framed, end]: (typeof BREAKS)[number],
  type: string,
  text: string,
  httpVersion: '1.0' | '1.1' = '1.1',
): Promise<{ answer: RawResponse; connectionEnd: string }> {
  const received = Promise.withResolvers<void>();
  stage.upstream.answer('first', async (connection) => {
    await connection.write(head('200 OK', type, ...headers) + framed(text));
    await received.promise;
    await end(connection);
  });
  const client = await stage.open({ model: 'first', stream: true, httpVersion });
  await client.receives(text);
  received.resolve();
  const answer = await client.response();
  await eventually(() => stage.router.requestLogs.length === 1);
  expect(stage.router.requestLogs).toMatchObject([{ ending: 'interrupted' }]);
  return { answer, connectionEnd: await client.ended };
}

/** The event that the router adds. */
function errorEvent(code: string): unknown {
  return { error: { message: expect.any(String), type: 'server_error', param: null, code } };
}

/** What the client got beyond `text`; an event is read as a client of event streams would. */
function addedTo(text: string, { body }: RawResponse): unknown {
  expect(body.toString().startsWith(text)).toBe(true);
  const added = body.toString().slice(text.length);
  const data = /^\n*data: (.+)\n\n$/.exec(added)?.[1];
  return data === undefined ? added : JSON.parse(data);
}

describe.each(BREAKS)('an upstream that %s after the commit', (...broken) => {
  test('ATT-34: is no clean end of a JSON answer', async () => {
    const { answer } = await askBroken(broken, JSON_TYPE, '{"half":');
    expect([answer.status, answer.isComplete, answer.body.toString()]).toEqual([200, false, '{"half":']);
  });

  test('ATT-34: is no clean end to an HTTP/1.0 client', async () => {
    const { answer, connectionEnd } = await askBroken(broken, JSON_TYPE, '{"half":', '1.0');
    expect([answer.isComplete, answer.body.toString(), connectionEnd]).toEqual([false, '{"half":', 'reset']);
  });

  test('ATT-35, ATT-40: adds an event to an event stream before the cut', async () => {
    const { answer } = await askBroken(broken, EVENT_STREAM, EVENT);
    expect(addedTo(EVENT, answer)).toEqual(errorEvent('upstream_stream_interrupted'));
    expect([answer.isComplete, answer.chunks > 0]).toEqual([false, true]);
  });

  test('ATT-34, ATT-35: adds it for an HTTP/1.0 client, too', async () => {
    const { answer, connectionEnd } = await askBroken(broken, EVENT_STREAM, EVENT, '1.0');
    expect(addedTo(EVENT, answer)).toEqual(errorEvent('upstream_stream_interrupted'));
    expect([answer.isComplete, connectionEnd]).toEqual([false, 'reset']);
  });
});

describe('the event before the cut', () => {
  const broken = BREAKS.find(([what]) => what === 'closes without the final chunk');

  test.each([
    ['whole events', EVENT, ''],
    ['whole events with CRLF', 'data: 1\r\n\r\n', ''],
    ['whole events with CR', 'data: 1\r\r', ''],
    ['half an event', 'data: {"choi', '\n\n'],
    ['half an event with its line end', 'data: {"choi\n', '\n\n'],
    ['half an event with CRLF', 'data: {"choi\r\n', '\n\n'],
    ['half a CRLF', 'data: {"choi\r', '\n\n'],
    ['half a character', Buffer.from('data: ä').subarray(0, -1).toString('latin1'), '\n\n'],
  ])('ATT-35: stands on a line of its own after %s', async (_, text, separator) => {
    if (!broken) throw new Error('There is no such break.');
    const { answer } = await askBroken(broken, EVENT_STREAM, text);
    expect(answer.body.toString().slice(text.length)).toMatch(
      new RegExp(`^${separator}data: \\{"error":.*\\}\n\n$`),
    );
    expect(addedTo(text, answer)).toEqual(errorEvent('upstream_stream_interrupted'));
  });

  test('ATT-35: is added to an event stream that is no 2xx, even if nothing of it has come', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('500 Broken', EVENT_STREAM, CHUNKED));
      connection.fin();
    });
    const answer = await stage.ask({ model: 'first', stream: true });
    expect([answer.status, answer.isComplete]).toEqual([500, false]);
    expect(addedTo('', answer)).toEqual(errorEvent('upstream_stream_interrupted'));
  });

  test('ATT-41: is not added to a compressed event stream', async () => {
    if (!broken) throw new Error('There is no such break.');
    const type = `${EVENT_STREAM}\r\nContent-Encoding: gzip`;
    const { answer } = await askBroken(broken, type, 'zipped bytes');
    expect([answer.isComplete, answer.body.toString()]).toEqual([false, 'zipped bytes']);
  });

  test.each([
    ['ATT-36', 'identity', 'upstream_idle_timeout'],
    ['ATT-41', 'gzip', undefined],
  ])('%s, ATT-32: after the idle timeout, with Content-Encoding %s', async (_clause, encoding, code) => {
    await stage.clear();
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '150' });
    stage.upstream.answer('first', async (connection) => {
      await connection.write(
        head('200 OK', EVENT_STREAM, `Content-Encoding: ${encoding}`, CHUNKED) + chunk(EVENT),
      );
    });
    const answer = await stage.ask({ model: 'first', stream: true });
    expect(answer.isComplete).toBe(false);
    expect(addedTo(EVENT, answer)).toEqual(code === undefined ? '' : errorEvent(code));
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.router.requestLogs).toMatchObject([{ ending: 'interrupted' }]);
  });
});
