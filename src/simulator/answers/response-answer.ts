import { namedEvent } from './chutes-replies.js';
import type { AnswerPlan } from './simulated-answer.js';

type Json = Readonly<Record<string, unknown>>;
type Status = 'in_progress' | 'completed' | 'incomplete';

/** Where the one item of an answer stands. */
const OUTPUT_INDEX = 0;
const CONTENT_INDEX = 0;

/** An answer of OpenAI's Responses API that is not streamed. */
export function responseJson(plan: AnswerPlan): string {
  return JSON.stringify(endedResponse(plan));
}

/** The events of one that is streamed, but for the last. */
export function responseEvents(plan: AnswerPlan): string[] {
  const begun = responseOf(plan, 'in_progress', []);
  const events: [string, Json][] = [
    ['response.created', { response: begun }],
    ['response.in_progress', { response: begun }],
    ['response.output_item.added', { output_index: OUTPUT_INDEX, item: itemOf(plan, 'in_progress', '') }],
    ...(plan.call === undefined ? textEvents(plan) : callEvents(plan)),
    ['response.output_item.done', { output_index: OUTPUT_INDEX, item: itemOf(plan, endOf(plan)) }],
  ];
  return events.map(([type, fields], sequence_number) =>
    namedEvent(type, { type, sequence_number, ...fields }),
  );
}

/** The last one, which has all of the answer. */
export function completedEvent(plan: AnswerPlan): string {
  const type = `response.${endOf(plan)}`;
  const sequence_number = responseEvents(plan).length;
  return namedEvent(type, { type, sequence_number, response: endedResponse(plan) });
}

function textEvents(plan: AnswerPlan): [string, Json][] {
  const at = { item_id: itemId(plan), output_index: OUTPUT_INDEX, content_index: CONTENT_INDEX };
  const text = plan.tokens.join('');
  return [
    ['response.content_part.added', { ...at, part: partOf('') }],
    ...plan.tokens.map((delta): [string, Json] => [
      'response.output_text.delta',
      { ...at, delta, logprobs: [] },
    ]),
    ['response.output_text.done', { ...at, text, logprobs: [] }],
    ['response.content_part.done', { ...at, part: partOf(text) }],
  ];
}

function callEvents(plan: AnswerPlan): [string, Json][] {
  const at = { item_id: itemId(plan), output_index: OUTPUT_INDEX };
  const done = { ...at, name: plan.call?.name, arguments: plan.tokens.join('') };
  return [
    ...plan.tokens.map((delta): [string, Json] => [
      'response.function_call_arguments.delta',
      { ...at, delta },
    ]),
    ['response.function_call_arguments.done', done],
  ];
}

function itemOf(plan: AnswerPlan, status: Status, text = plan.tokens.join('')): Json {
  const { call } = plan;
  const id = itemId(plan);
  return call === undefined
    ? {
        id,
        type: 'message',
        status,
        role: 'assistant',
        content: status === 'in_progress' ? [] : [partOf(text)],
      }
    : { id, type: 'function_call', status, call_id: call.id, name: call.name, arguments: text };
}

function itemId({ id, call }: AnswerPlan): string {
  return `${call === undefined ? 'msg' : 'fc'}_${id}`;
}

function partOf(text: string): Json {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function endOf({ finishReason }: AnswerPlan): 'completed' | 'incomplete' {
  return finishReason === 'length' ? 'incomplete' : 'completed';
}

function endedResponse(plan: AnswerPlan): Json {
  const status = endOf(plan);
  return responseOf(plan, status, [itemOf(plan, status)]);
}

function responseOf(plan: AnswerPlan, status: Status, output: readonly Json[]): Json {
  return {
    id: `resp_${plan.id}`,
    object: 'response',
    created_at: plan.created,
    status,
    background: false,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: plan.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    // The real proxy keeps nothing.
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: status === 'in_progress' ? null : usageOf(plan),
    user: null,
  };
}

function usageOf({ promptTokens, tokens }: AnswerPlan): Json {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: tokens.length,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + tokens.length,
  };
}
