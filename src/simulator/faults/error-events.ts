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

/** The bytes of an error within a stream; Chutes' own, which are bare, say always the same. */
export function errorInStream(
  form: ErrorForm,
  { message = DEFAULT_MESSAGE, code }: StreamedError = {},
): string {
  const type = code === 400 ? 'BadRequestError' : 'InternalServerError';
  const error = { error: { message, type, param: null, ...(code === undefined ? {} : { code }) } };
  switch (form) {
    case 'framed':
      return `data: ${JSON.stringify(error)}\n\n`;
    case 'pretty':
      return `${JSON.stringify(error, null, 2).replaceAll(/^/gm, 'data: ')}\n\n`;
    case 'unframed':
      return UNFRAMED_ERROR;
    case 'unframed-pretty':
      return `${JSON.stringify(JSON.parse(UNFRAMED_ERROR), null, 2)}\n`;
    case 'anthropic':
      return `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message } })}\n\n`;
  }
}
