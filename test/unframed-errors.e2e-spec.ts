import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chatRequest } from './support/chat-request.js';
import { CHUNKED, EVENT_STREAM } from './support/header-lines.js';
import type { RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const EVENT = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
const LINE = readFileSync('testdata/chutes_live/stream_error_line_undated.json', 'utf8').trim();
const WINDOW_BYTES = 16 * 1024;

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => {
  await stage.clear();
});

/** The answer to a stream of these chunks. */
async function askStream(chunks: readonly string[], ...headers: readonly string[]): Promise<RawResponse> {
  stage.upstream.answer('first', async (connection) => {
    await connection.write(head('200 OK', EVENT_STREAM, CHUNKED, ...headers));
    for (const piece of chunks) await connection.write(chunk(piece));
    await connection.write(chunk(''));
  });
  return stage.ask({ model: 'first', stream: true });
}

/** What the client got beyond the upstream's bytes. */
function addedTo(chunks: readonly string[], { body }: RawResponse): string {
  const sent = chunks.join('');
  expect(body.toString().startsWith(sent)).toBe(true);
  return body.toString().slice(sent.length);
}

const ADDED =
  /^(?:\n\n)?data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"upstream_stream_interrupted"\}\}\n\n$/;

describe("a stream that ends with Chutes' unframed error line", () => {
  test.each([
    ['as Chutes writes it', [EVENT, LINE]],
    ['with a line end', [EVENT, `${LINE}\n`]],
    ['with blank lines', [EVENT, `${LINE}\r\n\r\n`]],
    ['and nothing else', [LINE]],
    ['split across chunks', [EVENT, LINE.slice(0, 1), LINE.slice(1, 5), LINE.slice(5)]],
    ['split byte by byte', [EVENT, ...LINE.split('')]],
    ['in the chunk of an event', [EVENT + LINE]],
    ['after many events', [EVENT.repeat(2_000), LINE]],
    ['after CRLF', ['data: 1\r\n\r\n', LINE]],
  ])('ATT-38: %s, gets an event added and ends cleanly', async (_, chunks) => {
    const answer = await askStream(chunks);
    expect(answer.isComplete).toBe(true);
    expect(addedTo(chunks, answer)).toMatch(ADDED);
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.router.requestLogs).toMatchObject([{ ending: 'interrupted' }]);
  });

  test('ATT-38: keeps the connection for the next request', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('200 OK', EVENT_STREAM, CHUNKED) + chunk(LINE) + chunk(''));
    });
    const client = await stage.open({ model: 'first', stream: true });
    expect((await client.response()).isComplete).toBe(true);
    await client.send(chatRequest({ model: 'second' }));
    expect((await client.response()).status).toBe(200);
  });

  test('ATT-38: ends cleanly for an HTTP/1.0 client, too', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(response('200 OK', [EVENT_STREAM], LINE));
    });
    const client = await stage.open({ model: 'first', stream: true, httpVersion: '1.0' });
    const answer = await client.response();
    expect([answer.isComplete, await client.ended]).toEqual([true, 'fin']);
    expect(addedTo([LINE], answer)).toMatch(ADDED);
  });

  test.each([
    [WINDOW_BYTES, true],
    [WINDOW_BYTES + 1, false],
  ])('ATT-39: of %i bytes has it noticed: %s', async (length, isNoticed) => {
    const line = `{"error":"${'x'.repeat(length - 12)}"}`;
    const chunks = [EVENT, line.slice(0, 9_000), line.slice(9_000)];
    const answer = await askStream(chunks);
    expect([answer.isComplete, ADDED.test(addedTo(chunks, answer))]).toEqual([true, isNoticed]);
  });
});

describe('nothing is added', () => {
  test.each([
    ['to a good stream', [EVENT, 'data: [DONE]\n\n']],
    ['to a stream without [DONE]', [EVENT]],
    ['to a stream that ends inside an event', [EVENT, 'data: {"cho']],
    [
      'when a model says such a line',
      ['data: {"choices":[{"delta":{"content":"\\n{\\"error\\": 1}"}}]}\n\n'],
    ],
  ])('ATT-38, ATT-42: %s', async (_, chunks) => {
    const answer = await askStream(chunks);
    expect([answer.isComplete, addedTo(chunks, answer)]).toEqual([true, '']);
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.router.requestLogs).toMatchObject([{ ending: 'complete' }]);
  });

  test('ATT-38, ATT-41: to a compressed stream', async () => {
    const answer = await askStream([LINE], 'Content-Encoding: gzip');
    expect([answer.isComplete, addedTo([LINE], answer)]).toEqual([true, '']);
  });

  test('ATT-38: to an answer that is no event stream', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(response('200 OK', ['Content-Type: application/json'], LINE));
    });
    const answer = await stage.ask({ model: 'first' });
    expect([answer.isComplete, answer.body.toString()]).toEqual([true, LINE]);
  });
});
