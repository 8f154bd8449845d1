import { setImmediate as immediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { cpuTimeMs } from '../../test/support/cpu-time.js';
import * as fc from 'fast-check';
import { EventStreamTail, isEventStream, isIdentityEncoded } from './event-stream.js';

const WINDOW_BYTES = 16 * 1024;
const ERROR_LINE = '{"error":"Unhandled exception"}';
const BODY = {
  error: { message: 'It broke.', type: 'server_error', param: null, code: 'upstream_stream_interrupted' },
} as const;

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function tailOf(...chunks: string[]): EventStreamTail {
  const tail = new EventStreamTail();
  for (const chunk of chunks) tail.push(Buffer.from(chunk));
  return tail;
}

function eventNamed(type: string): string {
  return `event: ${type}\ndata: {"type":"${type}"}\n\n`;
}

describe('what is an event stream', () => {
  test.each([
    ['text/event-stream', true],
    ['text/event-stream; charset=utf-8', true],
    ['Text/Event-Stream ;charset=utf-8', true],
    ['text/event-streams', false],
    ['application/json', false],
    ['application/json; x="text/event-stream"', false],
  ])('ATT-35: %s', (type, expected) => {
    expect(isEventStream(['Content-Type', type])).toBe(expected);
  });

  test('ATT-35: not what has no type', () => {
    expect(isEventStream(['x-content-type', 'text/event-stream'])).toBe(false);
  });

  test.each([
    ['identity', true],
    ['Identity ', true],
    ['', true],
    ['gzip', false],
    ['identity, gzip', false],
  ])('ATT-41: "%s" can be added to: %s', (encoding, expected) => {
    expect(isIdentityEncoded(['content-ENCODING', encoding])).toBe(expected);
  });

  test('ATT-41: a stream without a Content-Encoding can be added to', () => {
    expect(isIdentityEncoded(['content-type', 'text/event-stream'])).toBe(true);
  });
});

describe("Chutes' unframed error line", () => {
  test.each([
    ['after an event', 'data: {}\n\n', ERROR_LINE],
    ['alone', ERROR_LINE],
    ['with a line end', 'data: {}\n\n', `${ERROR_LINE}\n`],
    ['with blank lines', 'data: {}\n\n', `${ERROR_LINE}\r\n\r\n`],
    ['after CRLF', 'data: {}\r\n\r\n', ERROR_LINE],
    ['after CR alone', 'data: {}\r\r', ERROR_LINE],
    ['directly under half an event', 'data: {"a":\n', ERROR_LINE],
    ['with white space', 'data: {}\n\n', ' { "error" : {"message": "x"} } '],
    ['split across chunks', 'data: {}\n\n{"er', 'ror":"Unhan', 'dled"}'],
    ['split byte by byte', ...`data: {}\n\n${ERROR_LINE}\n`.split('')],
    ['with an object', 'data: {}\n\n', '{"error":{"message":"x","code":500}}'],
  ])('ATT-38: is found %s', (_, ...chunks) => {
    expect(tailOf(...chunks).ending()).toBe('unfinished');
  });

  test.each([
    ['in the text of a model', 'data: {"text":"\\n{\\"error\\":1}"}\n\n'],
    ['under another name', '{"errors":"x"}\n'],
    ['as a value', 'data: {}\n\n{"a":{"error":"x"}}\n'],
    ['where the stream is empty', ''],
    ['after a good end', 'data: {}\n\ndata: [DONE]\n\n'],
  ])('ATT-38: is not seen %s', (_, text) => {
    expect(tailOf(text).ending()).toBe('complete');
  });

  test('ATT-35, ATT-38: is found, or is not, however the stream is cut into chunks', () => {
    const part = fc.constantFrom(
      'data: 1\n\n',
      ERROR_LINE,
      '{"error":',
      '\n',
      '\r\n',
      '\r',
      ' ',
      'x',
      '\n\n',
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), (parts) => {
        const [inChunks, atOnce] = [tailOf(...parts), tailOf(parts.join(''))];
        expect(inChunks.ending()).toBe(atOnce.ending());
        expect(inChunks.errorEvent(BODY)).toBe(atOnce.errorEvent(BODY));
      }),
      { numRuns: 1_000 },
    );
  });

  test('ATT-27: of a stream whose chunks are events only the last few are kept in memory', async () => {
    const tail = new EventStreamTail();
    const chunks = Array.from({ length: 100 }, () => {
      const chunk = Buffer.from('data: {}\n\n');
      tail.push(chunk);
      return new WeakRef(chunk);
    });
    await immediate();
    collectGarbage();
    expect(tail.ending()).toBe('complete');
    expect(chunks.filter((chunk) => chunk.deref() !== undefined).length).toBeLessThanOrEqual(16);
  });

  test.each([
    [WINDOW_BYTES - 1, true],
    [WINDOW_BYTES, true],
    [WINDOW_BYTES + 1, false],
  ])('ATT-39: of %i bytes: %s', (length, isFound) => {
    const expected = isFound ? 'unfinished' : 'complete';
    const line = `{"error":"${'x'.repeat(length - 12)}"}`;
    expect(Buffer.byteLength(line)).toBe(length);
    expect(tailOf('data: {}\n\n', line).ending()).toBe(expected);
    expect(tailOf('data: {}\n\n', ...(line.match(/.{1,1000}/g) ?? [])).ending()).toBe(expected);
  });

  test('ATT-39: is looked for without freezing the process, whatever the stream ends with', () => {
    const tail = tailOf(`\n{"error":${' '.repeat(WINDOW_BYTES - 100)}x\ny`);
    const startedAt = cpuTimeMs(process.pid);
    expect(tail.ending()).toBe('unfinished');
    expect(cpuTimeMs(process.pid) - startedAt).toBeLessThan(300);
  });

  test('ATT-27, ATT-39: of a long stream only the last chunks are kept in memory', async () => {
    const tail = new EventStreamTail();
    const chunks = Array.from({ length: 100 }, () => {
      const chunk = Buffer.alloc(WINDOW_BYTES / 2);
      tail.push(chunk);
      return new WeakRef(chunk);
    });
    await immediate();
    collectGarbage();
    expect(tail.ending()).toBe('complete');
    expect(chunks.filter((chunk) => chunk.deref() !== undefined).length).toBeLessThanOrEqual(3);
  });
});

describe('what is kept of a stream tells its ending', () => {
  const token = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
  const last = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
  const usage = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n';

  test.each([
    ['a chunk an event', (text: string) => text.match(/[^]*?\n\n/g) ?? []],
    ['a chunk a line', (text: string) => text.match(/[^]*?\n/g) ?? []],
    ['in single bytes', (text: string) => text.split('')],
    ['in pieces of 100 bytes', (text: string) => text.match(/[^]{1,100}/g) ?? []],
    ['all at once', (text: string) => [text]],
  ])('ATT-57: %s', (_, cut) => {
    for (const finish of [last, last + usage, last.repeat(4) + usage, `${last}: bye\n\n${usage}: bye\n\n`]) {
      expect(tailOf(...cut(token.repeat(1_000) + finish)).ending()).toBe('complete');
    }
    expect(tailOf(...cut(token.repeat(1_000))).ending()).toBe('unfinished');
    expect(tailOf(...cut(token.repeat(1_000) + usage)).ending()).toBe('unfinished');
    expect(tailOf(...cut(`${token.repeat(1_000)}data: [DONE]\n\n`)).ending()).toBe('complete');
    expect(tailOf(...cut(`${token.repeat(1_000)}data: {"error":{}}\n\n${token}`)).ending()).toBe('failed');
  });

  test('ATT-78: a refusal of the request is one where it is known to be the beginning', () => {
    const refusal = 'data: {"error":{"code":400}}\n\n';
    expect(tailOf(refusal, 'data: [DONE]\n\n', ': x\n\n').ending()).toBe('refused');
    expect(tailOf(token, refusal).ending()).toBe('failed');
    // What stood in front of these is not kept any more.
    const many = Array.from({ length: 100 }, () => token);
    expect(tailOf(...many, refusal).ending()).toBe('failed');
    expect(tailOf(token.repeat(1_000), refusal).ending()).toBe('failed');
  });

  test('ATT-57: also where the last chunk holds much', () => {
    const filler = `data: {"choices":[],"usage":{"x":"${'x'.repeat(WINDOW_BYTES - 300)}"}}\n\n`;
    expect(tailOf(token, token, last, filler).ending()).toBe('complete');
    expect(tailOf(token, token, filler).ending()).toBe('unfinished');
  });

  test.each([
    ['responses', 'response.created', 'response.output_text.delta', 'response.completed'],
    ['messages', 'message_start', 'content_block_delta', 'message_stop'],
  ] as const)('ATT-58, ATT-59: a long answer in the dialect of %s', (dialect, start, delta, stop) => {
    const endingOf = (text: string, size: number) => {
      const tail = new EventStreamTail(dialect);
      for (let at = 0; at < text.length; at += size) tail.push(Buffer.from(text.slice(at, at + size)));
      return tail.ending();
    };
    for (const size of [1, 7, eventNamed(delta).length, 5_000, 1_000_000]) {
      const half = eventNamed(start) + eventNamed(delta).repeat(2_000);
      expect(endingOf(half, size)).toBe('unfinished');
      expect(endingOf(half + eventNamed(stop), size)).toBe('complete');
      expect(endingOf(eventNamed(delta).repeat(2_000), size)).toBe('complete');
    }
  });
});

describe('the error event', () => {
  const event = `data: ${JSON.stringify(BODY)}\n\n`;

  test.each([
    ['nothing', '', event],
    ['an event', 'data: 1\n\n', event],
    ['an event with CRLF', 'data: 1\r\n\r\n', event],
    ['an event with CR', 'data: 1\r\r', event],
    ['half an event', 'data: {"a', `\n\n${event}`],
    ['an unfinished event', 'data: 1\n', `\n\n${event}`],
    ['an unfinished event with CRLF', 'data: 1\r\n', `\n\n${event}`],
    ['half a CRLF', 'data: 1\r', `\n\n${event}`],
  ])('ATT-35: stands on lines of its own after %s', (_, before, expected) => {
    expect(tailOf(before).errorEvent(BODY)).toBe(expected);
    expect(tailOf(...before.split('')).errorEvent(BODY)).toBe(expected);
  });

  test.each([
    [[], 0],
    [['event: a\ndata: {"sequence_number":7}\n\n'], 8],
    [['data: {"sequence_number": 7}\n\n', 'data: {"sequence_nu', 'mber": 8}\n\n', 'data: {}\n\n'], 9],
    [['data: {"sequence_number":"7"}\n\n'], 0],
  ])('ATT-62: after %j it has the number %i in the Responses API', (before, number) => {
    const tail = new EventStreamTail('responses');
    for (const piece of before) tail.push(Buffer.from(piece));
    expect(tail.errorEvent(BODY)).toContain(`{"type":"error","sequence_number":${number},"code":`);
  });

  test('ATT-62: is written in the dialect of the client', () => {
    expect(new EventStreamTail('messages').errorEvent(BODY)).toMatch(
      /^event: error\ndata: \{"type":"error",/,
    );
  });
});
