import { namedEvent } from '../answers/chutes-replies.js';
import type { AnswerPlan } from '../answers/simulated-answer.js';

/** How an error stands in a stream: an event, one over several lines, a bare line, bare lines, or Anthropic's event. */
export type ErrorForm = 'framed' | 'pretty' | 'unframed' | 'unframed-pretty' | 'anthropic';

/** What Chutes writes when a stream of its own breaks: neither an event nor followed by `[DONE]`. */
export const UNFRAMED_ERROR = JSON.stringify({
  error: 'Unhandled exception during response stream: the instance went away',
});

/** An error that an engine reports within a stream. */
export interface StreamedError {
  readonly message?: string;
  /** The error's own, such as 400 for what an engine refuses; without it the error has none. */
  readonly code?: number;
}

export const DEFAULT_MESSAGE = 'The engine went away in the middle of the answer.';

/**
 * The bytes of an error within a stream of this kind; Chutes' own, which are bare, say always the same.
 *
 * @param place how many events stand before it
 */
export function errorInStream(
  form: ErrorForm,
  { message = DEFAULT_MESSAGE, code }: StreamedError = {},
  kind: AnswerPlan['kind'] = 'chat',
  place = 0,
): string {
  const error = errorOf({ message, code }, kind, place);
  const name = kind === 'chat' || kind === 'text' ? '' : 'event: error\n';
  switch (form) {
    case 'framed':
      return `${name}data: ${JSON.stringify(error)}\n\n`;
    case 'pretty':
      return `${name}${JSON.stringify(error, null, 2).replaceAll(/^/gm, 'data: ')}\n\n`;
    case 'unframed':
      return UNFRAMED_ERROR;
    case 'unframed-pretty':
      return `${JSON.stringify(JSON.parse(UNFRAMED_ERROR), null, 2)}\n`;
    case 'anthropic':
      return namedEvent('error', errorOf({ message }, 'message', place));
  }
}

function errorOf(
  { message, code }: { message: string; code?: number | undefined },
  kind: AnswerPlan['kind'],
  place: number,
): object {
  const type = code === 400 ? 'BadRequestError' : 'InternalServerError';
  switch (kind) {
    case 'response':
      return {
        type: 'error',
        sequence_number: place,
        code: code === 400 ? 'invalid_prompt' : 'server_error',
        message,
        param: null,
      };
    case 'message':
      return {
        type: 'error',
        error: { type: code === 400 ? 'invalid_request_error' : 'overloaded_error', message },
      };
    default:
      return { error: { message, type, param: null, ...(code === undefined ? {} : { code }) } };
  }
}
