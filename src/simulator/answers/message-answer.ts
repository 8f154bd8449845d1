import { namedEvent } from './chutes-replies.js';
import type { AnswerPlan } from './simulated-answer.js';

type Json = Readonly<Record<string, unknown>>;

const STOP_REASONS: Readonly<Record<AnswerPlan['finishReason'], string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
};

const THINKING = { thinking: 'Somebody wants to know, so I say what I know.', signature: 'c2ltdWxhdGVk' };

/** An answer of Anthropic's Messages API that is not streamed. */
export function messageJson(plan: AnswerPlan): string {
  const { finishReason, tokens } = plan;
  const content = [
    ...(plan.thinks === true ? [{ type: 'thinking', ...THINKING }] : []),
    plan.call === undefined
      ? { type: 'text', text: tokens.join('') }
      : { ...toolUse(plan.call), input: inputOf(tokens.join('')) },
  ];
  return JSON.stringify(messageOf(plan, content, STOP_REASONS[finishReason], tokens.length));
}

/** The events of one that is streamed, but for the last. */
export function messageEvents(plan: AnswerPlan): string[] {
  const { call, tokens, finishReason } = plan;
  const thoughts = plan.thinks === true ? thoughtEvents() : [];
  const index = thoughts.length > 0 ? 1 : 0;
  const delta = (text: string) =>
    call === undefined ? { type: 'text_delta', text } : { type: 'input_json_delta', partial_json: text };
  return [
    event('message_start', { message: messageOf(plan, [], null, 1) }),
    ...thoughts,
    event('content_block_start', {
      index,
      content_block: call === undefined ? { type: 'text', text: '' } : { ...toolUse(call), input: {} },
    }),
    event('ping', {}),
    ...tokens.map((token) => event('content_block_delta', { index, delta: delta(token) })),
    event('content_block_stop', { index }),
    event('message_delta', {
      delta: { stop_reason: STOP_REASONS[finishReason], stop_sequence: null },
      usage: { output_tokens: tokens.length },
    }),
  ];
}

export function stopEvent(): string {
  return event('message_stop', {});
}

function thoughtEvents(): string[] {
  const { thinking, signature } = THINKING;
  const index = 0;
  return [
    event('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } }),
    event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking } }),
    event('content_block_delta', { index, delta: { type: 'signature_delta', signature } }),
    event('content_block_stop', { index }),
  ];
}

function event(type: string, fields: Json): string {
  return namedEvent(type, { type, ...fields });
}

function toolUse({ id, name }: NonNullable<AnswerPlan['call']>): Json {
  return { type: 'tool_use', id: id.replace(/^call_/, 'toolu_'), name };
}

/** Arguments that `max_tokens` has cut are no JSON. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function messageOf(
  { id, model, promptTokens }: AnswerPlan,
  content: readonly Json[],
  stopReason: string | null,
  outputTokens: number,
): Json {
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: stopReason,
    stop_sequence: null,
    usage: {
      input_tokens: promptTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: outputTokens,
    },
  };
}
