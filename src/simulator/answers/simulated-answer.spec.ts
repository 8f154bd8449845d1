import { describe, expect, test } from '@jest/globals';
import { type AnswerPlan, answerTokens, jsonAnswer, streamEvents } from './simulated-answer.js';

const PLAN: AnswerPlan = {
  kind: 'chat',
  id: 'abc',
  created: 1_771_000_000,
  model: 'maker/model',
  tokens: ['Hello', ' "there"', '\n'],
  finishReason: 'stop',
  promptTokens: 12,
};

function dataOf(events: readonly string[]): unknown[] {
  return events.map((event): unknown => {
    expect(event).toMatch(/^data: .*\n\n$/);
    return JSON.parse(event.slice(6));
  });
}

describe('the words', () => {
  test('SIM-11: follow from seed and model', () => {
    const words = answerTokens(1, 'maker/model').join('');
    expect(answerTokens(1, 'maker/model').join('')).toBe(words);
    expect(answerTokens(2, 'maker/model').join('')).not.toBe(words);
    expect(answerTokens(1, 'maker/other').join('')).not.toBe(words);
    expect(words).toContain('maker/model');
    expect(words).toMatch(/^[A-Z].*\.$/);
  });

  test.each([1, 5, 200])('SIM-12: are as many as asked for: %i', (count) => {
    expect(answerTokens(1, 'maker/model', count)).toHaveLength(count);
  });
});

describe('an answer', () => {
  test('SIM-10: not streamed, chat', () => {
    expect(JSON.parse(jsonAnswer(PLAN))).toEqual({
      id: 'chatcmpl-abc',
      object: 'chat.completion',
      created: 1_771_000_000,
      model: 'maker/model',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello "there"\n' },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15, prompt_tokens_details: null },
    });
  });

  test('SIM-10: not streamed, text', () => {
    expect(JSON.parse(jsonAnswer({ ...PLAN, kind: 'text', finishReason: 'length' }))).toMatchObject({
      id: 'cmpl-abc',
      object: 'text_completion',
      choices: [{ index: 0, text: 'Hello "there"\n', finish_reason: 'length' }],
    });
  });

  test('SIM-10: streamed, chat: the role, the tokens, the end', () => {
    const chunks = dataOf(streamEvents(PLAN));
    expect(chunks).toMatchObject([
      { choices: [{ delta: { role: 'assistant', content: '' }, finish_reason: null }] },
      { choices: [{ delta: { content: 'Hello' }, finish_reason: null }] },
      { choices: [{ delta: { content: ' "there"' }, finish_reason: null }] },
      { choices: [{ delta: { content: '\n' }, finish_reason: null }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } },
    ]);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: 'chatcmpl-abc',
        object: 'chat.completion.chunk',
        model: 'maker/model',
      });
    }
  });

  const CALLING: AnswerPlan = {
    ...PLAN,
    tokens: ['{"a":', '1}'],
    call: { id: 'call_1', name: 'add' },
    finishReason: 'tool_calls',
  };

  test('SIM-33: that calls a function, not streamed', () => {
    expect(JSON.parse(jsonAnswer(CALLING))).toMatchObject({
      choices: [
        {
          message: {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
    });
  });

  test('SIM-33: that calls a function, streamed: its name first, then its arguments in pieces', () => {
    const chunks = dataOf(streamEvents(CALLING)) as {
      choices: { delta: unknown; finish_reason: unknown }[];
    }[];
    expect(chunks.flatMap(({ choices }) => choices).map(({ delta }) => delta)).toEqual([
      { role: 'assistant', content: null },
      {
        tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'add', arguments: '' } }],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '1}' } }] },
      {},
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('tool_calls');
  });

  test('SIM-10: streamed, text', () => {
    const chunks = dataOf(streamEvents({ ...PLAN, kind: 'text' }));
    expect(chunks).toMatchObject([
      { object: 'text_completion', choices: [{ text: 'Hello', finish_reason: null }] },
      { choices: [{ text: ' "there"' }] },
      { choices: [{ text: '\n' }] },
      { choices: [{ text: '', finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } },
    ]);
  });
});
