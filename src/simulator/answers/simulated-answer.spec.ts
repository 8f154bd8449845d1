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
  includeUsage: false,
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
    ]);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: 'chatcmpl-abc',
        object: 'chat.completion.chunk',
        model: 'maker/model',
      });
      expect(chunk).not.toHaveProperty('usage');
    }
  });

  test('SIM-10: streamed, text, with usage at the end', () => {
    const chunks = dataOf(streamEvents({ ...PLAN, kind: 'text', includeUsage: true }));
    expect(chunks).toMatchObject([
      { object: 'text_completion', choices: [{ text: 'Hello', finish_reason: null }], usage: null },
      { choices: [{ text: ' "there"' }] },
      { choices: [{ text: '\n' }] },
      { choices: [{ text: '', finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } },
    ]);
  });
});
