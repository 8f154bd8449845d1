import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { meaningOf } from './error-event.js';
import { type Beginning, FirstEvent, MAX_FIRST_EVENT_BYTES } from './first-event.js';

const LINE = readFileSync('testdata/chutes_live/stream_error_line_undated.json', 'utf8').trim();
const GOOD = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
const ERROR = 'data: {"error":{"message":"It broke.","code":500}}\n\n';

interface Found {
  readonly beginning: Beginning;
  readonly error: unknown;
  /** How many chunks it took. */
  readonly chunks: number;
}

function beginningOf(...chunks: readonly (string | Buffer)[]): Found {
  const reader = new FirstEvent();
  for (const [at, chunk] of chunks.entries()) {
    const beginning = reader.push(Buffer.from(chunk));
    if (beginning !== 'more') return { beginning, error: reader.error, chunks: at + 1 };
  }
  return { beginning: 'more', error: reader.error, chunks: chunks.length };
}

/** The same where the stream ends well after these chunks. */
function wholeOf(...chunks: readonly (string | Buffer)[]): 'good' | 'error' {
  const reader = new FirstEvent();
  for (const chunk of chunks) {
    const beginning = reader.push(Buffer.from(chunk));
    if (beginning !== 'more') return beginning;
  }
  return reader.end();
}

const BEGINNINGS: [string, string, Beginning][] = [
  ['an event of OpenAI’s', GOOD, 'good'],
  ['several', GOOD + ERROR, 'good'],
  ['an event that is no JSON', 'data: [DONE]\n\n', 'good'],
  ['an event of Anthropic’s', 'event: message_start\ndata: {"type":"message_start"}\n\n', 'good'],
  ['an error', ERROR, 'error'],
  ['an error with a text', 'data: {"error":"It broke."}\n\n', 'error'],
  ['an error without a space', 'data:{"error":{}}\n\n', 'error'],
  ['an error over lines', 'data: {\ndata:  "error":\ndata: {}}\n\n', 'error'],
  ['an error beside other keys', 'data: {"id":"x","choices":[],"error":{"code":500}}\n\n', 'error'],
  [
    'an error of Anthropic’s',
    'event: error\ndata: {"type":"error","error":{"type":"api_error"}}\n\n',
    'error',
  ],
  [
    'an error of the Responses API',
    'event: error\ndata: {"type":"error","code":null,"message":"x"}\n\n',
    'error',
  ],
  ['an error by its name alone', 'event: error\n\n', 'error'],
  ['an error by its name, with words', 'event:error\ndata: It broke.\n\n', 'error'],
  ['Chutes’ bare line', `${LINE}\n`, 'error'],
  ['the same with white space', ` \t{ "error" : "x" }\n`, 'error'],
  ['the same with a good event behind it', `${LINE}\n\n${GOOD}`, 'error'],
  ['one whose JSON is broken', '{"error":"Unhandled: b"x""}\n\n', 'error'],
  ['one over lines', '{\n  "error": {\n    "message": "x"\n  }\n}\n\n', 'error'],
  ['one over lines, with an event right behind it', '{\n  "error": 1\n}\ndata: [DONE]\n\n', 'error'],
  ['a null error', 'data: {"choices":[],"error":null}\n\n', 'good'],
  ['a bare line with a null error', '{"error":null}\n\n', 'more'],
  ['a bare line with a null error before an event', `{"error": null}\n\n${GOOD}`, 'good'],
  ['broken JSON with a null error', `{"error": null,\n\n${GOOD}`, 'good'],
  ['a bare line without an error', `{"errors":[1]}\n${ERROR}`, 'error'],
  ['an error deeper down', 'data: {"choices":[{"error":{}}]}\n\n', 'good'],
  ['an error in a text', 'data: {"text":"{\\"error\\":1}"}\n\n', 'good'],
  ['an error in a list', 'data: [{"error":1}]\n\n', 'good'],
  ['half an error', 'data: {"error":{"message":"x"\n\n', 'good'],
  ['an error in a comment', `: {"error":1}\n\n: ${ERROR}`, 'more'],
  ['a field with another name', `errors: {"error":1}\n\n${GOOD}`, 'good'],
  ['comments, times and ids in front of an event', `: hi\n\nretry: 3\nid: 7\n\n:\n${GOOD}`, 'good'],
  ['the same in front of an error', `: hi\n\nretry: 3\nid: 7\n\n:\n${ERROR}`, 'error'],
  ['blank lines in front of an error', `\n\n\n${ERROR}`, 'error'],
  ['an event without data in front of an error', `event: ping\n\n${ERROR}`, 'error'],
  ['a name that is no error’s any more', `event: error\nevent: x\ndata: 1\n\n`, 'good'],
  ['an event with empty data', 'data\n\n', 'good'],
  ['nothing', '', 'more'],
  ['an event that has not ended', GOOD.slice(0, -1), 'more'],
  ['an error that has not ended', ERROR.slice(0, -1), 'more'],
  ['a bare line that has not ended', LINE, 'more'],
  ['comments alone', ': waiting\n\n: waiting\n\n', 'more'],
];

describe('how a stream begins', () => {
  test.each(BEGINNINGS)('ATT-52, ATT-55: with %s', (_, text, beginning) => {
    expect(beginningOf(text).beginning).toBe(beginning);
  });

  test.each(BEGINNINGS)(
    'ATT-55: the same with any line ends, a byte order mark, and byte by byte: %s',
    (...row) => {
      const [, text, beginning] = row;
      for (const lineEnd of ['\n', '\r\n', '\r']) {
        for (const mark of ['', '\u{feff}']) {
          const bytes = Buffer.from(mark + text.replaceAll('\n', lineEnd));
          // A `\r` at the end may be half of a line end, but what it ends has ended.
          expect(beginningOf(bytes).beginning).toBe(beginning);
          expect(beginningOf(...Array.from(bytes, (byte) => Buffer.of(byte))).beginning).toBe(beginning);
        }
      }
    },
  );

  test('ATT-55: what it says does not depend on where it is cut', () => {
    const part = fc.constantFrom(
      'data: 1',
      'data: {"error":1}',
      '{"error":1}',
      '{',
      '"error":2}',
      '}',
      'event: error',
      ': {"error":1}',
      '\n',
      '\r\n',
      '\r',
      '\n\n',
      ' ',
      'é',
      '\u{feff}',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }),
        fc.array(fc.nat(80), { maxLength: 6 }),
        (parts, places) => {
          const bytes = Buffer.from(parts.join(''));
          const cuts = [0, ...places.toSorted((a, b) => a - b), bytes.length];
          const chunks = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
          const [inChunks, atOnce] = [beginningOf(...chunks), beginningOf(bytes)];
          expect([inChunks.beginning, inChunks.error]).toEqual([atOnce.beginning, atOnce.error]);
          expect(wholeOf(...chunks)).toBe(wholeOf(bytes));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('ATT-55: is told with the chunk that ends the first event', () => {
    expect(beginningOf(GOOD.slice(0, 10), GOOD.slice(10, -1), '\n', GOOD)).toMatchObject({ chunks: 3 });
    expect(beginningOf(GOOD + GOOD, GOOD)).toMatchObject({ beginning: 'good', chunks: 1 });
  });

  test('ATT-52: the error is there as it was written', () => {
    const error = { message: 'Ça ne va pas.', code: 500 };
    expect(beginningOf(`data: ${JSON.stringify({ error })}\n\n`).error).toEqual(error);
    expect(beginningOf(`event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`).error).toEqual(
      error,
    );
    expect(beginningOf(`event: error\ndata: ${JSON.stringify(error)}\n\n`).error).toEqual(error);
    expect(beginningOf(`${JSON.stringify({ error }, undefined, 2)}\n\n`).error).toEqual(error);
    expect(beginningOf('event: error\ndata: Ça\n\n').error).toBe('Ça');
    expect(beginningOf(`${LINE}\n`).error).toMatch(/^Unhandled exception during response stream/);
  });
});

function failed(error: unknown): string {
  const data = { type: 'response.failed', sequence_number: 0, response: { status: 'failed', error } };
  return `event: response.failed\ndata: ${JSON.stringify(data)}\n\n`;
}

describe('a stream of the Responses API that begins with `response.failed`', () => {
  test.each([
    'exhausted all available targets to no avail',
    'No infrastructure available to serve request',
    'No instances available (yet) for chute_id=1',
    'This chute is currently disabled.',
    'model not found: a/b',
    // As the public source of Chutes' proxy has it.
    'Backend Error:\n\n{"detail":"exhausted all available targets to no avail"}\n\nPlease check your request.',
  ])('ATT-79: is an error where it is about the model: %s', (message) => {
    const error = { code: 'server_error', message };
    for (const text of [failed(error), failed(error).replace(/^event: .*\n/, '')]) {
      const found = beginningOf(text);
      expect([found.beginning, found.error, meaningOf(found.error)]).toEqual(['error', error, 'failed']);
    }
  });

  test('ATT-79: is an error where its code says so', () => {
    const error = { code: 'model_not_found', message: "Model 'a/b' not found. Available models: c/d" };
    expect(beginningOf(failed(error))).toMatchObject({ beginning: 'error', error });
  });

  test.each<[string, unknown]>([
    ['another failure', { code: 'server_error', message: 'It broke.' }],
    ['a request of the client’s', { code: 'invalid_prompt', message: 'The prompt is too long.' }],
    ['a full model', { code: 'server_error', message: 'Infrastructure is at maximum capacity' }],
    ['words in the middle', { message: 'You said: No instances available' }],
    ['no message', { code: 'server_error' }],
    ['a text', 'No instances available'],
    ['null', null],
  ])('ATT-79: is an answer where it is not, or does not say so: %s', (_, error) => {
    expect(beginningOf(failed(error)).beginning).toBe('good');
  });

  test('ATT-79: no other event is one', () => {
    const text = failed({ message: 'No instances available' }).replaceAll('.failed', '.incomplete');
    expect(beginningOf(text).beginning).toBe('good');
  });
});

describe('a stream that is over', () => {
  test.each<[string, string, 'good' | 'error']>([
    ['an error that has not ended', ERROR.trimEnd(), 'error'],
    ['an error whose line has ended', ERROR.slice(0, -1), 'error'],
    ['a bare line', LINE, 'error'],
    ['a bare line whose JSON is broken', LINE.slice(0, -1), 'error'],
    ['a bare error over lines', '{\n  "error": {\n    "message": "x"\n  }\n}', 'error'],
    ['an error without data', 'event: error', 'error'],
    ['an event that has not ended', GOOD.trimEnd(), 'good'],
    ['half an event', GOOD.slice(0, 20), 'good'],
    ['half an error', ERROR.slice(0, 20), 'good'],
    ['a null error', '{"error":null}', 'good'],
    ['nothing', '', 'good'],
  ])('ATT-56: is read as if a blank line followed: %s', (_, text, beginning) => {
    expect(wholeOf(text)).toBe(beginning);
  });
});

describe('the bound', () => {
  test.each([
    [MAX_FIRST_EVENT_BYTES, 'error'],
    [MAX_FIRST_EVENT_BYTES + 1, 'good'],
  ])('ATT-55: an error of %i bytes: %s', (length, beginning) => {
    const frame = 'data: {"error":""}\n\n';
    const text = frame.replace('""', `"${'x'.repeat(length - frame.length)}"`);
    expect(beginningOf(text).beginning).toBe(beginning);
    expect(beginningOf(...(text.match(/[^]{1,1000}/g) ?? [])).beginning).toBe(beginning);
  });

  test('ATT-55: comments count, too', () => {
    const comment = ': waiting\n\n';
    const { beginning, chunks } = beginningOf(...Array.from({ length: 3_000 }, () => comment));
    expect([beginning, chunks]).toEqual(['good', Math.ceil(MAX_FIRST_EVENT_BYTES / comment.length)]);
  });

  test.each([
    ['one line', 'x'],
    ['blank lines', '\n'],
    ['open braces', '{'],
    ['lines with open braces', '{\n'],
    ['data', 'data: {"error":\n'],
    ['half line ends', '\r'],
  ])('ATT-55: 16 KiB in single bytes take no time: %s', (_, part) => {
    const bytes = Buffer.alloc(MAX_FIRST_EVENT_BYTES, part);
    const startedAt = performance.now();
    expect(beginningOf(...Array.from(bytes, (byte) => Buffer.of(byte))).beginning).toBe('good');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('what the error says of the attempt', () => {
  test.each<[string, unknown, ReturnType<typeof meaningOf>]>([
    ['no code', { message: 'x' }, 'failed'],
    ['a text', 'Unhandled exception', 'failed'],
    ['500', { code: 500 }, 'failed'],
    ['a code in words', { code: 'context_length_exceeded', message: 'maximum context length' }, 'failed'],
    ['400 as a text', { code: '400', message: 'x' }, 'failed'],
    ['399', { code: 399 }, 'failed'],
    ['a list', [{ code: 400 }], 'failed'],
    ['a number', 400, 'failed'],
    ['400', { code: 400, message: 'Bad content' }, 'refused'],
    ['429', { code: 429, message: 'Slow down' }, 'refused'],
    ['a status of 499', { status: 499 }, 'refused'],
    ['a status of 400 beside a code in words', { code: 'bad', status: 400 }, 'refused'],
    [
      'a context that is too long',
      { code: 400, message: "the model's maximum context length of 8 tokens" },
      'context',
    ],
    [
      'the same, nested',
      { code: 400, message: 'Invalid: {"error":{"message":"maximum context length"}}' },
      'context',
    ],
    ['the same by its code', { status: 400, code: 'context_length_exceeded', message: 'x' }, 'context'],
    ['what the model cannot', { code: 400, message: 'a/b is not a multimodal model' }, 'ability'],
  ])('ATT-54: %s', (_, error, meaning) => {
    expect(meaningOf(error)).toBe(meaning);
  });
});
