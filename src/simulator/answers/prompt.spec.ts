import { describe, expect, test } from '@jest/globals';
import { contentFor } from './content.js';
import { type Prompt, readPrompt } from './prompt.js';

const ADD = {
  type: 'function',
  function: {
    name: 'add',
    parameters: {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      required: ['a', 'b'],
    },
  },
};
const NOW = { type: 'function', function: { name: 'now' } };
const PROSE = ['some', ' prose'];

function promptOf(fields: Readonly<Record<string, unknown>>): Prompt {
  const prompt = readPrompt(Buffer.from(JSON.stringify({ model: 'a/b', ...fields })));
  if (typeof prompt === 'string') throw new Error(prompt);
  return prompt;
}

/** The function that is called, or undefined, and all that is said. */
function saidTo(fields: Readonly<Record<string, unknown>>): [string | undefined, string] {
  const { calls, tokens } = contentFor(promptOf(fields), () => PROSE);
  return [calls, tokens.join('')];
}

describe('what an answer says', () => {
  const tools = [ADD, NOW];
  const user = { role: 'user', content: 'Hello' };

  test.each<[string, Readonly<Record<string, unknown>>, string | undefined, unknown]>([
    ['no choice', { tools }, 'add', { a: 1, b: 1 }],
    ['auto', { tools, tool_choice: 'auto' }, 'add', { a: 1, b: 1 }],
    ['required', { tools, tool_choice: 'required' }, 'add', { a: 1, b: 1 }],
    ['a name', { tools, tool_choice: { type: 'function', function: { name: 'now' } } }, 'now', {}],
    ['a question before', { tools, messages: [user] }, 'add', { a: 1, b: 1 }],
    ['a format beside', { tools, response_format: { type: 'json_object' } }, 'add', { a: 1, b: 1 }],
  ])('SIM-33: a function is called, its arguments fit: %s', (_, fields, name, value) => {
    const [calls, text] = saidTo(fields);
    expect([calls, JSON.parse(text)]).toEqual([name, value]);
  });

  test.each([
    ['none', { tools, tool_choice: 'none' }],
    ['no tools', { tools: [] }],
    ['tools without a function', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
    ['what a tool says last', { tools, messages: [user, { role: 'tool', content: '3' }] }],
    [
      'what a tool says, though required',
      { tools, tool_choice: 'required', messages: [{ role: 'tool', content: '3' }] },
    ],
  ])('SIM-33: no function is called with %s', (_, fields) => {
    expect(saidTo(fields)).toEqual([undefined, PROSE.join('')]);
  });

  test('SIM-33: with json_object it is some object', () => {
    const [, text] = saidTo({ response_format: { type: 'json_object' } });
    expect(JSON.parse(text)).toEqual({ answer: 'simulated answer' });
  });

  test.each([
    ['a schema', { name: 'sum', schema: ADD.function.parameters }, { a: 1, b: 1 }],
    ['no schema', { name: 'sum' }, { answer: 'simulated answer' }],
  ])('SIM-33: with json_schema it fits %s', (_, json_schema, value) => {
    const [, text] = saidTo({ response_format: { type: 'json_schema', json_schema } });
    expect(JSON.parse(text)).toEqual(value);
  });

  test.each([undefined, { type: 'text' }, 'json_object', { type: 'xml' }])(
    'SIM-33: with the format %j it is prose',
    (format) => {
      expect(saidTo({ response_format: format })).toEqual([undefined, PROSE.join('')]);
    },
  );
});

describe('what is read of a prompt', () => {
  test('SIM-32: pictures and videos by their parts', () => {
    expect(promptOf({ messages: imageOf('https://example.com/a.png') })).toMatchObject({
      hasImage: true,
      hasVideo: false,
    });
    const video = [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'data:x' } }] }];
    expect(promptOf({ messages: video })).toMatchObject({ hasImage: false, hasVideo: true });
    expect(promptOf({ messages: [{ role: 'user', content: '"type":"image_url"' }] })).toMatchObject({
      hasImage: false,
    });
  });

  test('SIM-32: a token for every four bytes, the data of pictures aside', () => {
    expect(promptOf({ messages: [{ role: 'user', content: 'x'.repeat(4_000) }] }).promptTokens).toBe(1_015);
    expect(promptOf({ messages: imageOf(`data:image/png;base64,${'A'.repeat(40_000)}`) }).promptTokens).toBe(
      promptOf({ messages: imageOf('') }).promptTokens,
    );
  });
});

function imageOf(url: string): unknown[] {
  const parts = [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: 'What?' },
  ];
  return [{ role: 'user', content: parts }];
}

describe('prompts of the other APIs', () => {
  const PARAMETERS = ADD.function.parameters;
  const RESPONSES_ADD = { type: 'function', name: 'add', parameters: PARAMETERS };
  const ANTHROPIC_ADD = { name: 'add', input_schema: PARAMETERS };
  const PNG = 'A'.repeat(4_000);

  test.each<[string, Readonly<Record<string, unknown>>, string | undefined]>([
    ['Responses', { tools: [RESPONSES_ADD] }, 'add'],
    [
      'Responses, by name',
      { tools: [NOW, RESPONSES_ADD], tool_choice: { type: 'function', name: 'add' } },
      'add',
    ],
    [
      'Responses, other tools',
      { tools: [{ type: 'web_search' }, { type: 'custom', name: 'patch' }] },
      undefined,
    ],
    ['Responses, a result', { tools: [RESPONSES_ADD], input: [{ type: 'function_call_output' }] }, undefined],
    [
      'Responses, another result',
      { tools: [RESPONSES_ADD], input: [{ type: 'custom_tool_call_output' }] },
      undefined,
    ],
    ['Messages', { tools: [ANTHROPIC_ADD] }, 'add'],
    ['Messages, any', { tools: [ANTHROPIC_ADD], tool_choice: { type: 'any' } }, 'add'],
    [
      'Messages, by name',
      { tools: [{ name: 'x', input_schema: {} }, ANTHROPIC_ADD], tool_choice: { type: 'tool', name: 'add' } },
      'add',
    ],
    ['Messages, none', { tools: [ANTHROPIC_ADD], tool_choice: { type: 'none' } }, undefined],
    [
      'Messages, a result',
      { tools: [ANTHROPIC_ADD], messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] },
      undefined,
    ],
  ])('SIM-42: call a function or do not: %s', (_, fields, name) => {
    expect(saidTo(fields)[0]).toBe(name);
  });

  const format = { type: 'json_schema', schema: { type: 'object', properties: { a: { const: 7 } } } };
  test.each([{ text: { format } }, { output_config: { format } }, { output_format: format }])(
    'SIM-42: have their schema filled: %j',
    (fields) => {
      expect(saidTo(fields)).toEqual([undefined, '{"a":7}']);
    },
  );

  test.each([
    [
      { input: [{ content: [{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }] }] },
      'hasImage',
    ],
    [{ messages: [{ content: [{ type: 'image', source: { type: 'base64', data: PNG } }] }] }, 'hasImage'],
    [{ input: [{ content: [{ type: 'input_video' }] }] }, 'hasVideo'],
    [{ thinking: { type: 'adaptive' } }, 'thinks'],
  ] as const)('SIM-42: bring what they bring, pictures not counted as words: %#', (fields, what) => {
    const prompt = promptOf(fields);
    expect(prompt[what]).toBe(true);
    expect(prompt.promptTokens).toBeLessThan(100);
  });

  test('SIM-42: limit their answers', () => {
    expect(promptOf({ max_output_tokens: 5 }).maxTokens).toBe(5);
  });
});
