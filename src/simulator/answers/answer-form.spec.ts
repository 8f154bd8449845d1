import { describe, expect, test } from '@jest/globals';
import { formOf } from './answer-form.js';
import type { AnswerPlan } from './simulated-answer.js';

const SPOKEN: AnswerPlan = {
  kind: 'response',
  id: 'abc',
  created: 1_771_000_000,
  model: 'maker/model',
  tokens: ['Hello', ' "there"'],
  finishReason: 'stop',
  promptTokens: 12,
};
const CALL: AnswerPlan = {
  ...SPOKEN,
  tokens: ['{"a":', '1}'],
  call: { id: 'call_1', name: 'add' },
  finishReason: 'tool_calls',
};

interface Event {
  readonly type: string;
  readonly sequence_number?: number;
  readonly [field: string]: unknown;
}

/** The events of a whole stream. Each has its name on a line of its own, too. */
function eventsOf(plan: AnswerPlan): Event[] {
  const form = formOf(plan);
  return [...form.events(plan), form.ending(plan)].map((text) => {
    const [, name, data = ''] = /^event: (\S+)\ndata: (.*)\n\n$/.exec(text) ?? [];
    const event = JSON.parse(data) as Event;
    expect(event.type).toBe(name);
    return event;
  });
}

function wholeOf(plan: AnswerPlan): unknown {
  return JSON.parse(formOf(plan).whole(plan));
}

const typesOf = (events: readonly Event[]) => events.map(({ type }) => type);

describe('an answer of the Responses API', () => {
  test('SIM-41: is streamed in numbered events, of which the last has all that the whole one has', () => {
    const events = eventsOf(SPOKEN);
    expect(typesOf(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i));
    expect(events.at(-1)).toMatchObject({ response: wholeOf(SPOKEN) });
    expect(wholeOf(SPOKEN)).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello "there"' }] }],
      usage: { input_tokens: 12, output_tokens: 2, total_tokens: 14 },
    });
  });

  test('SIM-41: calls a function', () => {
    const events = eventsOf(CALL);
    expect(typesOf(events).slice(3)).toEqual([
      'response.function_call_arguments.delta',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(wholeOf(CALL)).toMatchObject({
      output: [{ type: 'function_call', call_id: 'call_1', name: 'add', arguments: '{"a":1}' }],
    });
  });

  test('SIM-41: that is too long is incomplete', () => {
    const plan = { ...SPOKEN, finishReason: 'length' as const };
    expect(eventsOf(plan).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
    });
  });
});

describe('an answer of the Messages API', () => {
  const spoken: AnswerPlan = { ...SPOKEN, kind: 'message' };
  const call: AnswerPlan = { ...CALL, kind: 'message' };

  test('SIM-41: is streamed as blocks', () => {
    expect(typesOf(eventsOf(spoken))).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(wholeOf(spoken)).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'Hello "there"' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 12, output_tokens: 2 },
    });
  });

  test('SIM-41: uses a tool', () => {
    const deltas = eventsOf(call).flatMap(({ delta }) => delta ?? []) as object[];
    expect(deltas).toMatchObject([
      { type: 'input_json_delta', partial_json: '{"a":' },
      { type: 'input_json_delta', partial_json: '1}' },
      { stop_reason: 'tool_use' },
    ]);
    expect(wholeOf(call)).toMatchObject({
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'add', input: { a: 1 } }],
    });
  });

  test('SIM-41: thinks first where it is asked to', () => {
    const events = eventsOf({ ...spoken, thinks: true });
    const starts = events.flatMap(({ index, content_block: block }) => (block ? [[index, block]] : []));
    expect(starts).toMatchObject([
      [0, { type: 'thinking' }],
      [1, { type: 'text' }],
    ]);
    expect(wholeOf({ ...spoken, thinks: true })).toMatchObject({
      content: [{ type: 'thinking' }, { type: 'text' }],
    });
  });

  test('SIM-41: whose arguments were cut has none', () => {
    const plan: AnswerPlan = { ...call, tokens: ['{"a":'], finishReason: 'length' };
    expect(wholeOf(plan)).toMatchObject({ content: [{ input: {} }], stop_reason: 'max_tokens' });
  });
});

test('SIM-41: a count of tokens', () => {
  expect(wholeOf({ ...SPOKEN, kind: 'token-count' })).toEqual({ input_tokens: 12 });
});
