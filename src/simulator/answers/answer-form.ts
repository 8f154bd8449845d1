import { DONE_EVENT } from './chutes-replies.js';
import { messageEvents, messageJson, stopEvent } from './message-answer.js';
import { completedEvent, responseEvents, responseJson } from './response-answer.js';
import { type AnswerPlan, jsonAnswer, streamEvents } from './simulated-answer.js';

/** How the answers of an API look. */
interface AnswerForm {
  /** The body of an answer that is not streamed. */
  readonly whole: (plan: AnswerPlan) => string;
  /** The server-sent events of a streamed answer but for its ending. */
  readonly events: (plan: AnswerPlan) => readonly string[];
  /** What tells clients that a stream is whole. */
  readonly ending: (plan: AnswerPlan) => string;
}

const COMPLETION: AnswerForm = { whole: jsonAnswer, events: streamEvents, ending: () => DONE_EVENT };

const FORMS: Readonly<Record<AnswerPlan['kind'], AnswerForm>> = {
  chat: COMPLETION,
  text: COMPLETION,
  response: { whole: responseJson, events: responseEvents, ending: completedEvent },
  message: { whole: messageJson, events: messageEvents, ending: stopEvent },
  'token-count': {
    whole: ({ promptTokens }) => JSON.stringify({ input_tokens: promptTokens }),
    events: () => [],
    ending: () => '',
  },
};

export function formOf({ kind }: AnswerPlan): AnswerForm {
  return FORMS[kind];
}
