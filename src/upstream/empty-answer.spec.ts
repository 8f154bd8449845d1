import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isEmptyAnswer } from './empty-answer.js';

function isEmpty(answer: unknown): boolean {
  return isEmptyAnswer(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)), false);
}

function isEmptyStream(...events: unknown[]): boolean {
  const text = events.map(
    (event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`,
  );
  return isEmptyAnswer(Buffer.from(text.join('')), true);
}

const message = (fields: object) => ({ choices: [{ index: 0, message: { role: 'assistant', ...fields } }] });
const delta = (fields: object) => ({ choices: [{ index: 0, delta: { role: 'assistant', ...fields } }] });
/** The settings of the Responses API, which stand beside its output. */
const settings = {
  text: { format: { type: 'text' } },
  reasoning: { effort: null, summary: null },
  tools: [],
};
const output = (...items: object[]) => ({ object: 'response', ...settings, output: items });
const blocks = (...content: object[]) => ({ type: 'message', role: 'assistant', content });

const SOMETHING = [
  { content: 'Hi' },
  { content: ' ' },
  { content: null, refusal: 'No.' },
  { content: '', reasoning: 'Hm.' },
  { content: '', reasoning_content: 'Hm.' },
  { content: null, tool_calls: [{ id: 'x', function: { name: 'f', arguments: '' } }] },
  { content: null, function_call: { name: 'f' } },
  { content: null, audio: { data: 'x' } },
  { content: [{ type: 'text', text: 'Hi' }] },
  { content: [{ type: 'image_url', image_url: {} }] },
];
const NOTHING = [
  {},
  { content: '' },
  { content: null },
  { content: [] },
  { content: [{ type: 'text', text: '' }] },
  { content: '', refusal: null, reasoning: '', reasoning_content: null, tool_calls: [] },
  { content: null, function_call: null, audio: null },
];

describe('a chat or text completion', () => {
  test.each(SOMETHING)('ATT-63: is not empty with %j', (fields) => {
    expect(isEmpty(message(fields))).toBe(false);
    expect(isEmptyStream(delta({}), delta(fields), '[DONE]')).toBe(false);
  });

  test.each(NOTHING)('ATT-63: is empty with %j', (fields) => {
    expect(isEmpty(message(fields))).toBe(true);
    expect(isEmptyStream(delta(fields), { choices: [], usage: { total_tokens: 1 } }, '[DONE]')).toBe(true);
  });

  test.each<[string, unknown, boolean]>([
    ['no choice', { choices: [] }, true],
    ['a choice that is null', { choices: [null] }, true],
    ['a text', { choices: [{ text: 'Hi' }] }, false],
    ['an empty text', { choices: [{ text: '', finish_reason: 'stop' }] }, true],
    ['words in its second choice', { choices: [{ text: '' }, { text: 'Hi' }] }, false],
    ['words elsewhere alone', { choices: [{ text: '' }], model: 'a/b', usage: {}, content: 7 }, true],
  ])('ATT-63: with %s: %s', (_, answer, expected) => {
    expect(isEmpty(answer)).toBe(expected);
    expect(isEmptyStream(answer)).toBe(expected);
  });
});

describe('an answer of the Responses API', () => {
  test.each<[string, object[], boolean]>([
    ['no output', [], true],
    ['an empty message', [{ type: 'message', content: [] }], true],
    ['a message of nothing', [{ type: 'message', content: [{ type: 'output_text', text: '' }] }], true],
    ['reasoning without words', [{ type: 'reasoning', summary: [], content: null }], true],
    ['a message', [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }], false],
    ['a refusal', [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }], false],
    ['a summary', [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }], false],
    ['a call', [{ type: 'function_call', name: 'f', arguments: '' }], false],
  ])('ATT-63: with %s: %s', (_, items, expected) => {
    expect(isEmpty(output(...items))).toBe(expected);
    const streamed = [
      { type: 'response.created', response: output() },
      ...items.map((item) => ({ type: 'response.output_item.done', item })),
      { type: 'response.completed', response: output(...items) },
    ];
    expect(isEmptyStream(...streamed)).toBe(expected);
  });

  test('ATT-63: with a piece of text in its stream', () => {
    expect(isEmptyStream({ type: 'response.output_text.delta', delta: 'Hi' })).toBe(false);
    expect(isEmptyStream({ type: 'response.output_text.delta', delta: '' })).toBe(true);
  });
});

describe('an answer of the Messages API', () => {
  test.each<[string, object[], boolean]>([
    ['no block', [], true],
    ['an empty text', [{ type: 'text', text: '' }], true],
    ['a text', [{ type: 'text', text: 'Hi' }], false],
    ['a thought', [{ type: 'thinking', thinking: 'Hm.' }], false],
    ['no thought', [{ type: 'thinking', thinking: '' }], true],
    ['a call', [{ type: 'tool_use', id: 'x', name: 'f', input: {} }], false],
  ])('ATT-63: with %s: %s', (_, content, expected) => {
    expect(isEmpty(blocks(...content))).toBe(expected);
    const streamed = [
      { type: 'message_start', message: blocks() },
      { type: 'ping' },
      ...content.map((block, index) => ({ type: 'content_block_start', index, content_block: block })),
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: {} },
      { type: 'message_stop' },
    ];
    expect(isEmptyStream(...streamed)).toBe(expected);
  });

  test('ATT-63: with a piece of text in its stream', () => {
    expect(isEmptyStream({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } })).toBe(
      false,
    );
    expect(isEmptyStream({ type: 'content_block_delta', delta: { type: 'text_delta', text: '' } })).toBe(
      true,
    );
  });
});

describe('anything else', () => {
  test.each<[string, unknown]>([
    ['what is no JSON', 'Hello'],
    ['half an answer', '{"choices":[]'],
    ['a list', [{ choices: [] }]],
    ['a count of tokens', { input_tokens: 7 }],
    ['an object', {}],
    ['an answer of 100 KB', { choices: [], filler: 'x'.repeat(100_000) }],
  ])('ATT-63: is not empty: %s', (_, answer) => {
    expect(isEmpty(answer)).toBe(false);
  });

  test.each<[string, string, boolean]>([
    ['nothing', '', true],
    ['comments', ': hi\n\n: hi\n\n', true],
    ['[DONE] alone', 'data: [DONE]\n\n', true],
    ['an empty event', 'data:\n\n', true],
    ['an event that is no JSON', 'data: Hello\n\n', false],
    ['an event that no blank line ends', 'data: {"choices":[{"text":"Hi"}]}', false],
    ['an event behind a byte order mark', '\u{feff}data: {"choices":[{"text":"Hi"}]}\n\n', false],
    ['CRLF', 'data: {"choices":[{"text":""}]}\r\n\r\ndata: [DONE]\r\n\r\n', true],
  ])('ATT-63: a stream of %s', (_, text, expected) => {
    expect(isEmptyAnswer(Buffer.from(text), true)).toBe(expected);
  });

  test('ATT-63: any JSON is read, and nothing of it throws, however deep', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect([true, false]).toContain(isEmpty({ choices: value }));
      }),
    );
    const deep = `{"choices":${'[{"content":'.repeat(4_000)}""${'}]'.repeat(4_000)}}`;
    expect(isEmpty(deep)).toBe(false);
  });
});
