import type { Dialect } from '../openai/dialect.js';
import { errorOf, isUnframed, meaningOf, unframedErrorOf } from './error-event.js';
import { EventLines } from './event-lines.js';

/**
 * How a stream has ended that ended well in HTTP: `complete` as far as can be told; `refused`, which is complete, too: it began with an
 * error that the client is to see; or `failed` or `unfinished`, which are both broken: of a `failed` one the client has seen the
 * upstream's own error, and there is nothing to add.
 */
export type StreamEnding = 'complete' | 'refused' | 'failed' | 'unfinished';

/** What was kept of a stream. A character for each byte. */
export interface StreamRemains {
  /** How it began; not needed for `openai`. */
  readonly head: string;
  /** How it ended. */
  readonly tail: string;
  /** Whether the tail begins with a line, and not within one. */
  readonly beginsLine: boolean;
  /** Whether the tail is all of the stream. */
  readonly isWhole: boolean;
}

export function streamEnding(dialect: Dialect, remains: StreamRemains): StreamEnding {
  const error = remains.tail.includes('error') ? errorIn(remains) : 'none';
  if (error === 'seen') return 'failed';
  if (error === 'refusal') return 'refused';
  return error === 'hidden' || isUnfinished[dialect](remains) ? 'unfinished' : 'complete';
}

/** Whether a stream holds an error, and whether its client has seen it, or has seen what comes behind it; or begins with a refusal. */
function errorIn({ tail, beginsLine, isWhole }: StreamRemains): 'none' | 'hidden' | 'seen' | 'refusal' {
  const events = new EventLines();
  const lines = tail.split(/\r\n|\r|\n/);
  const last = lines.pop() ?? '';
  let isFirst = isWhole;
  let isHidden = false;
  let unframed = '';
  const endUnframed = () => {
    isHidden ||= unframed !== '' && unframedErrorOf(unframed) !== undefined;
    unframed = '';
  };
  for (const line of beginsLine ? lines : lines.slice(1)) {
    const event = events.push(line);
    if (line === '') endUnframed();
    else if (unframed !== '' || isUnframed(line)) unframed += `${line}\n`;
    if (!event) continue;
    if (isHidden) return 'seen';
    const error = errorOf(event);
    if (error !== undefined) return isFirst && meaningOf(error) !== 'failed' ? 'refusal' : 'seen';
    isFirst = false;
  }
  // Clients leave alone what no blank line ends.
  if (isUnframed(last) || unframed !== '') unframed += last;
  endUnframed();
  if (last !== '') events.push(last);
  const half = events.push('');
  return isHidden || (half && errorOf(half) !== undefined) ? 'hidden' : 'none';
}

const DONE = /(?:^|[\r\n])data:[ \t]?\[DONE\]/;
/** In a text within JSON these would have their quotes escaped. */
const NO_REASON_YET = /"finish_reason"\s*:\s*null\b/;
const REASON = /"finish_reason"\s*:\s*(?!null\b)[^\s]/;
const CREATED = named('response\\.created');
const RESPONDED = named('response\\.(?:completed|failed|incomplete)');
const STARTED = named('message_start');
const STOPPED = named('message_stop');
const EVENT_LINE = /[\r\n](?:event|data):/;
/** Some servers end every stream with it, this API's, too. */
const LAST_DONE = /[\r\n]data:[ \t]?\[DONE\]\s*$/;

/** Whether a stream ended in the middle of its answer. One that speaks otherwise is none of these. */
const isUnfinished: Readonly<Record<Dialect, (remains: StreamRemains) => boolean>> = {
  openai: ({ tail }) => !DONE.test(tail) && NO_REASON_YET.test(tail) && !REASON.test(tail),
  // The last event holds the whole answer: in the middle of it, no line says which it is.
  responses: ({ head, tail, beginsLine }) =>
    CREATED.test(head) &&
    !RESPONDED.test(tail) &&
    (beginsLine || EVENT_LINE.test(tail.replace(LAST_DONE, ''))),
  messages: ({ head, tail }) => STARTED.test(head) && !STOPPED.test(tail),
};

/** An event with this name, by its own line or by the `type` of its data. */
function named(name: string): RegExp {
  return new RegExp(`(?:^|[\\r\\n])event:[ \\t]?${name}[ \\t]*(?:[\\r\\n]|$)|"type"\\s*:\\s*"${name}"`);
}
