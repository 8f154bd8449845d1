import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Dialect } from '../openai/dialect.js';
import { type StreamEnding, streamEnding } from './stream-ending.js';

const LINE = readFileSync('testdata/chutes_live/stream_error_line_undated.json', 'utf8').trim();
const TOKEN = chat({ index: 0, delta: { content: 'Hi' }, finish_reason: null });
const STOP = chat({ index: 0, delta: {}, finish_reason: 'stop' });
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n';
const DONE = 'data: [DONE]\n\n';
const ERROR = 'data: {"error":{"message":"It broke.","code":500}}\n\n';
const PRETTY = '{\n  "error": {\n    "message": "It broke."\n  }\n}';

function chat(choice: object): string {
  return `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [choice] })}\n\n`;
}

function named(type: string, more: object = {}): string {
  return `event: ${type}\n${unnamed(type, more)}`;
}

function unnamed(type: string, more: object = {}): string {
  return `data: ${JSON.stringify({ type, ...more })}\n\n`;
}

function endingOf(text: string, dialect: Dialect = 'openai'): StreamEnding {
  return streamEnding(dialect, { head: text, tail: text, beginsLine: true, isWhole: true });
}

describe('a stream of chat or text completions', () => {
  test.each<[string, string, StreamEnding]>([
    ['with a reason and [DONE]', TOKEN + STOP + DONE, 'complete'],
    ['with a reason', TOKEN + STOP, 'complete'],
    ['with a reason and its usage', TOKEN + STOP + USAGE, 'complete'],
    ['with [DONE] alone', TOKEN + DONE, 'complete'],
    ['with [DONE] that has no space', `${TOKEN}data:[DONE]\n\n`, 'complete'],
    ['with [DONE] that has not ended', `${TOKEN}data: [DONE]`, 'complete'],
    ['with neither', TOKEN + TOKEN, 'unfinished'],
    ['with neither, but usage', TOKEN + USAGE, 'unfinished'],
    ['with neither, but a comment', `${TOKEN}: bye\n\n`, 'unfinished'],
    ['in the middle of an event', TOKEN + STOP.slice(0, 30), 'unfinished'],
    [
      'with a first chunk alone',
      chat({ index: 0, delta: { role: 'assistant' }, finish_reason: null }),
      'unfinished',
    ],
    ['with white space around null', 'data: {"choices":[{"finish_reason" :\tnull}]}\n\n', 'unfinished'],
    [
      'with white space around the reason',
      `${TOKEN}data: {"choices":[{"finish_reason" : "stop"}]}\n\n`,
      'complete',
    ],
    [
      'of several choices, of which one has ended',
      TOKEN + STOP + TOKEN.replace('"index":0', '"index":1'),
      'complete',
    ],
    [
      'of several choices in one chunk',
      TOKEN.replace(']', ',{"index":1,"finish_reason":"stop"}]'),
      'complete',
    ],
    ['that speaks of no reason', 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n', 'complete'],
    ['that speaks something else', 'data: Hello\n\n', 'complete'],
    ['that is empty', '', 'complete'],
    ['with a reason of another name', `${TOKEN}data: {"native_finish_reason":"stop"}\n\n`, 'unfinished'],
    [
      'whose text has a reason',
      chat({ delta: { content: '"finish_reason":"stop"' }, finish_reason: null }),
      'unfinished',
    ],
    [
      'whose text has [DONE]',
      chat({ delta: { content: 'data: [DONE]' }, finish_reason: null }),
      'unfinished',
    ],
    ['whose text has none yet', chat({ delta: { content: '"finish_reason":null' } }), 'complete'],
    ['with [DONE] in a comment', `${TOKEN}: data: [DONE]\n\n`, 'unfinished'],
  ])('ATT-42, ATT-57: %s', (_, text, ending) => {
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      expect(endingOf(text.replaceAll('\n', lineEnd))).toBe(ending);
    }
  });
});

describe('a stream of the Responses API', () => {
  const begun = named('response.created') + named('response.output_text.delta', { delta: 'Hi' });

  test.each<[string, string, StreamEnding]>([
    ['that is completed', begun + named('response.completed'), 'complete'],
    ['that has failed', begun + named('response.failed'), 'complete'],
    ['that is incomplete', begun + named('response.incomplete'), 'complete'],
    ['without names', unnamed('response.created') + unnamed('response.completed'), 'complete'],
    ['that has no end', begun, 'unfinished'],
    [
      'that has no end and no names',
      unnamed('response.created') + unnamed('response.in_progress'),
      'unfinished',
    ],
    ['that has no end, but [DONE]', begun + DONE, 'unfinished'],
    ['that has no beginning', named('response.output_text.delta'), 'complete'],
    ['that speaks like OpenAI’s chat', TOKEN, 'complete'],
    ['with an error event', begun + named('error', { code: null, message: 'x' }), 'failed'],
    ['whose text has an end', begun + named('x', { delta: '"type":"response.completed"' }), 'unfinished'],
    [
      'that has failed by the request',
      begun + named('response.failed', { response: { error: { message: 'Too long.' } } }),
      'complete',
    ],
  ])('ATT-58: %s', (_, text, ending) => {
    expect(endingOf(text, 'responses')).toBe(ending);
  });

  test('ATT-79: that has failed by its model is broken, and its client has seen it', () => {
    const error = { code: 'server_error', message: 'exhausted all available targets to no avail' };
    const end = named('response.failed', { response: { error } });
    expect(endingOf(begun + end, 'responses')).toBe('failed');
    expect(endingOf(begun + end + DONE, 'responses')).toBe('failed');
    expect(endingOf(begun + end.trimEnd(), 'responses')).toBe('unfinished');
  });

  test('ATT-58: whose last event is larger than what is kept', () => {
    const tail = `${'x'.repeat(1_000)}"}]}\n\n`;
    expect(streamEnding('responses', { head: begun, tail, beginsLine: false, isWhole: false })).toBe(
      'complete',
    );
  });

  test('ATT-58: the same with [DONE] behind it', () => {
    const tail = `${'x'.repeat(1_000)}"}]}\n\n${DONE}`;
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      const remains = {
        head: begun,
        tail: tail.replaceAll('\n', lineEnd),
        beginsLine: false,
        isWhole: false,
      };
      expect(streamEnding('responses', remains)).toBe('complete');
      expect(streamEnding('responses', { ...remains, beginsLine: true })).toBe('unfinished');
    }
  });

  test('ATT-58: whose end does not begin with a line', () => {
    const remains = { head: begun, beginsLine: false, isWhole: false };
    const delta = named('response.output_text.delta');
    expect(streamEnding('responses', { ...remains, tail: `xx\n\n${delta}` })).toBe('unfinished');
    expect(
      streamEnding('responses', { ...remains, tail: `xx\n\n${delta}${named('response.completed')}` }),
    ).toBe('complete');
  });
});

describe('a stream of the Messages API', () => {
  const begun = named('message_start') + named('content_block_delta', { delta: { text: 'Hi' } });

  test.each<[string, string, StreamEnding]>([
    ['that has stopped', begun + named('message_stop'), 'complete'],
    ['without names', unnamed('message_start') + unnamed('message_stop'), 'complete'],
    ['that has not', begun, 'unfinished'],
    [
      'that has a reason, but has not stopped',
      begun + named('message_delta', { delta: { stop_reason: 'end_turn' } }),
      'unfinished',
    ],
    ['that has no beginning', named('content_block_delta'), 'complete'],
    ['that speaks like OpenAI’s chat', TOKEN, 'complete'],
    ['with an error event', begun + named('error', { error: { type: 'overloaded_error' } }), 'failed'],
    ['whose text has an end', begun + named('x', { text: 'event: message_stop' }), 'unfinished'],
  ])('ATT-59: %s', (_, text, ending) => {
    expect(endingOf(text, 'messages')).toBe(ending);
  });
});

describe('an error of the upstream’s own', () => {
  const framed: [string, string][] = [
    ['an event', ERROR],
    ['an event with a name', `event: error\ndata: {"type":"error","error":{"type":"api_error"}}\n\n`],
    ['an event over lines', 'data: {\ndata: "error": 1}\n\n'],
    ['an event that is nothing but a name', 'event: error\n\n'],
  ];
  const behind: [string, string][] = [
    ['nothing', ''],
    ['[DONE]', DONE],
    ['a comment', ': bye\n\n'],
    ['good events', STOP + USAGE + DONE],
    ['half an event', 'data: {"cho'],
  ];

  test.each(
    framed.flatMap(([what, error]) => behind.map(([then, text]) => [what, then, error, text] as const)),
  )('ATT-60: as %s, with %s behind it, is one that the client has seen', (_what, _then, error, text) => {
    expect(endingOf(TOKEN + error + text)).toBe('failed');
    expect(endingOf(error + text)).toBe('failed');
  });

  test.each([LINE, PRETTY, LINE.slice(0, -2), ` ${LINE} `])(
    'ATT-60, ATT-61: without a frame is one that the client has not seen: %s',
    (error) => {
      for (const silence of [
        '',
        '\n',
        '\n\n',
        '\n\n: bye\n\n',
        '\n: bye\n\n',
        '\n\n: bye',
        '\n\nevent: x\n\n',
        '\nid: 1',
      ]) {
        expect(endingOf(`${TOKEN}${error}${silence}`)).toBe('unfinished');
        expect(endingOf(`${STOP}${error}${silence}`)).toBe('unfinished');
      }
      for (const events of [DONE, TOKEN, STOP + USAGE + DONE, ERROR]) {
        expect(endingOf(`${TOKEN}${error}\n\n${events}`)).toBe('failed');
        expect(endingOf(`${TOKEN}${error}\n${events}`)).toBe('failed');
      }
    },
  );

  test.each([
    ['an event without a blank line', ERROR.trimEnd()],
    ['an event whose line has ended', ERROR.slice(0, -1)],
    ['a name alone', 'event: error'],
  ])('ATT-61: in half an event is one that clients do not see: %s', (_, half) => {
    expect(endingOf(STOP + half)).toBe('unfinished');
  });

  test.each([
    ['a null error', 'data: {"choices":[],"error":null}\n\n'],
    ['a null error without a frame', '{"error":null}\n\n'],
    ['an error in a text', 'data: {"text":"{\\"error\\":1}\\n{\\"error\\":1}"}\n\n'],
    ['an error deeper down', 'data: {"x":{"error":{}}}\n\n'],
    ['an error in a comment', ': {"error":1}\n\n'],
    ['half an error', 'data: {"error":{"mess\n\n'],
    ['another name', '{"errors":1}\n\n'],
    ['a word', 'data: error\n\n'],
  ])('ATT-60: none is %s', (_, text) => {
    expect(endingOf(text)).toBe('complete');
    expect(endingOf(text + STOP + DONE)).toBe('complete');
  });

  test('ATT-78: is a refusal where the stream begins with it, and it is for the client', () => {
    const refusal = ERROR.replace('500', '400');
    for (const text of [refusal, `: hi\n\n${refusal}`, refusal + DONE, refusal + TOKEN, refusal + ERROR]) {
      expect(endingOf(text)).toBe('refused');
      expect(streamEnding('openai', { head: '', tail: text, beginsLine: true, isWhole: false })).toBe(
        'failed',
      );
    }
    for (const text of [ERROR + refusal, TOKEN + refusal, `${LINE}\n\n${refusal}`]) {
      expect(endingOf(text)).toBe('failed');
    }
    expect(endingOf(refusal.trimEnd())).toBe('unfinished');
  });

  test('ATT-60: what stands in front of the first whole line is not looked at', () => {
    const tail = `{"error":1}\n\n${STOP}`;
    expect(streamEnding('openai', { head: '', tail, beginsLine: false, isWhole: false })).toBe('complete');
    expect(streamEnding('openai', { head: '', tail, beginsLine: true, isWhole: false })).toBe('failed');
  });
});

describe('whatever a stream ends with', () => {
  test('ATT-57, ATT-60: it is broken if an error was in it, or there is a null reason and no end', () => {
    const part = fc.constantFrom(
      ['token', TOKEN],
      ['stop', STOP],
      ['usage', USAGE],
      ['done', DONE],
      ['error', ERROR],
      ['comment', ': x\n\n'],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const has = (name: string) => parts.some(([kind]) => kind === name);
        const isUnfinished = has('token') && !has('stop') && !has('done');
        const expected = has('error') ? 'failed' : isUnfinished ? 'unfinished' : 'complete';
        expect(endingOf(parts.map(([, text]) => text).join(''))).toBe(expected);
      }),
    );
  });

  const SIZE = 16 * 1024;
  test.each([
    ['open braces', '{'],
    ['lines with open braces', '{"error":\n'],
    ['errors in lines', '{"error":1}\n'],
    ['blank lines', '\n'],
    ['null errors', 'data: {"error":null}\n\n'],
    ['half errors', 'data: {"error":\n\n'],
    ['names', '"finish_reason" '],
    ['colons', '"finish_reason":\t'],
    ['white space', ' error\t'],
  ])('ATT-57: it takes no time: %s', (_, part) => {
    const text = `"error" ${part.repeat(SIZE / part.length)}`;
    const startedAt = performance.now();
    for (let n = 0; n < 10; n += 1) endingOf(text);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
