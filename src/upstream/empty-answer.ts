import { EventLines } from './event-lines.js';
import { isJsonObject, parseObject } from './json.js';

/** What is larger is not read: it holds something. */
const MAX_EMPTY_BYTES = 64 * 1024;
const MAX_DEPTH = 16;

/** What an answer says something with, if it is a text or a list that is not empty. `thinking` is Anthropic's. */
const WORDS = ['text', 'refusal', 'reasoning', 'reasoning_content', 'thinking', 'tool_calls'] as const;
/** The same, if it is anything but null. */
const THINGS = ['function_call', 'audio'] as const;
/** Where these may stand, in whole answers and in the events of streams. */
const PARTS = ['choices', 'message', 'delta', 'response'] as const;
/** Where blocks stand, or a text of their own. */
const BLOCKS = ['output', 'content', 'summary', 'item', 'part', 'content_block'] as const;
/** Blocks that are what their words are. Any other, such as `tool_use` or `function_call`, is something by itself. */
const WORDY_BLOCKS: ReadonlySet<unknown> = new Set([
  undefined,
  'message',
  'output_text',
  'reasoning',
  'reasoning_text',
  'refusal',
  'summary_text',
  'text',
  'thinking',
]);

/**
 * Whether a whole answer with a 2xx holds nothing: no choice, output or content block with a word in it. What is no answer of
 * OpenAI's or Anthropic's is not empty.
 */
export function isEmptyAnswer(body: Buffer, isEventStream: boolean): boolean {
  if (body.length > MAX_EMPTY_BYTES) return false;
  const text = body.toString();
  if (isEventStream) return !eventsOf(text).some(saysSomething);
  const answer = parseObject(text);
  const isAnswer = answer && ['choices', 'output', 'content'].some((name) => Array.isArray(answer[name]));
  return isAnswer === true && !says(answer, false, MAX_DEPTH);
}

function saysSomething(data: string): boolean {
  const event = parseObject(data);
  return event ? says(event, false, MAX_DEPTH) : data !== '' && data !== '[DONE]';
}

/** The data of all events, the last one included where no blank line ends it. */
function eventsOf(text: string): string[] {
  const events = new EventLines();
  const lines = text.replace(/^\u{feff}/u, '').split(/\r\n|\r|\n/);
  return [...lines, ''].flatMap((line) => events.push(line)?.data ?? []);
}

function says(part: unknown, isBlock: boolean, depth: number): boolean {
  if (typeof part === 'string') return part !== '';
  if (depth === 0) return true;
  if (Array.isArray(part)) return part.some((item) => says(item, isBlock, depth - 1));
  if (!isJsonObject(part)) return false;
  return (
    (isBlock && !WORDY_BLOCKS.has(part['type'])) ||
    WORDS.some((name) => isWord(part[name])) ||
    THINGS.some((name) => (part[name] ?? null) !== null) ||
    PARTS.some((name) => says(part[name], false, depth - 1)) ||
    BLOCKS.some((name) => says(part[name], true, depth - 1))
  );
}

/** In the Responses API `text` and `reasoning` are settings, too. */
function isWord(value: unknown): boolean {
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0;
}
