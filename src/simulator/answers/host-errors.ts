import type { Reply } from './chutes-replies.js';
import type { AnswerPlan } from './simulated-answer.js';

type Kind = AnswerPlan['kind'];

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};

/** A reply of Chutes as the host that answers in this way has it: with the same words, in the shape of the API that it speaks. */
export function asHostSays(kind: Kind, reply: Reply): Reply {
  const message = detailOf(reply);
  if (message === undefined) return reply;
  const { status } = reply;
  switch (kind) {
    case 'chat':
    case 'text':
      return reply;
    case 'response': {
      const type = status < 500 ? 'invalid_request_error' : 'server_error';
      return { ...reply, body: JSON.stringify({ error: { message, type, param: null, code: null } }) };
    }
    case 'message':
    case 'token-count': {
      const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
      return { ...reply, body: JSON.stringify({ type: 'error', error: { type, message } }) };
    }
  }
}

/** @returns `undefined` for what is not of Chutes' own making, such as the page of a proxy */
function detailOf({ headers, body }: Reply): string | undefined {
  if (headers['content-type'] !== 'application/json') return undefined;
  const { detail } = JSON.parse(body) as { detail?: string | { message?: string } };
  if (typeof detail === 'object') return detail.message ?? JSON.stringify(detail);
  return detail;
}
