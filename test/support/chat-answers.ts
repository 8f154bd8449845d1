import type { Behaviour } from '../../src/simulator/faults/misbehaviour.js';

type Fields = Readonly<Record<string, unknown>>;

/** A call of the tool `add`, as a model makes it. */
export const CALL = {
  id: 'call_1',
  type: 'function' as const,
  function: { name: 'add', arguments: '{"a":1,"b":2.0}' },
};
/** The parameters of `add`. */
export const ADD = {
  type: 'object' as const,
  properties: { a: { type: 'number' as const }, b: { type: 'number' as const } },
  required: ['a', 'b'],
};

/** An answer in one piece with this message. */
export function saying(message: Fields): Behaviour {
  return json({ index: 0, finish_reason: reasonOf(message), message: { role: 'assistant', ...message } });
}

/** The same as events of a stream, one for each part. */
export function streaming(...parts: readonly Fields[]): Behaviour {
  const reason = parts.map(reasonOf).includes('tool_calls') ? 'tool_calls' : 'stop';
  const choices = [
    { index: 0, delta: { role: 'assistant', content: null }, finish_reason: null },
    ...parts.map((delta) => ({ index: 0, delta, finish_reason: null })),
    { index: 0, delta: {}, finish_reason: reason },
  ];
  const events = choices.map((choice) => JSON.stringify({ ...HEAD, object: CHUNK, choices: [choice] }));
  const body = [...events, '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
  return { kind: 'status', status: 200, headers: { 'content-type': 'text/event-stream' }, body };
}

const HEAD = { id: 'chatcmpl-1', created: 1, model: 'simulated' };
const CHUNK = 'chat.completion.chunk';

function json(choice: Fields): Behaviour {
  const body = JSON.stringify({ ...HEAD, object: 'chat.completion', choices: [choice] });
  return { kind: 'status', status: 200, headers: { 'content-type': 'application/json' }, body };
}

function reasonOf({ tool_calls: calls }: Fields): string {
  return calls === undefined ? 'stop' : 'tool_calls';
}
