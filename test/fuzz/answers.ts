import type { IncomingHttpHeaders } from 'node:http';
import type { RawResponse } from '../support/raw-response.ts';
import { routerErrorOf } from '../support/router-error.ts';
import type { Conversation } from './conversation.ts';

/** What is wrong with what came back. @param isRefused whether the contract has no other answer than an error */
export function conversationProblem(
  { answers, rest, end, manner }: Conversation,
  isRefused = false,
): string | undefined {
  if (end === 'hung') return 'neither an answer nor an end came';
  for (const answer of answers) {
    const problem = answerProblem(answer);
    if (problem !== undefined) return problem;
    if (isRefused && answer.status < 400) return `an ambiguous request got ${answer.status}`;
  }
  // A client that leaves may have got the beginning of an answer.
  return rest.length === 0 || manner !== 'waits'
    ? undefined
    : `it ends with ${JSON.stringify(rest.toString('latin1').slice(0, 300))}`;
}

function answerProblem(answer: RawResponse): string | undefined {
  const { status } = answer;
  if (status === 200 || status === 204) return undefined;
  const error = routerErrorOf({ status, headers: headersOf(answer), body: answer.body });
  if (typeof error !== 'string' && error.code !== 'internal_error') return undefined;
  return `a ${status} that is none of the contract's errors (${typeof error === 'string' ? error : error.code}): ${answer.body.toString()}`;
}

/** Status and code of an answer. */
export function nameOf(answer: RawResponse): string {
  if (answer.status < 400) return String(answer.status);
  const error = routerErrorOf({ status: answer.status, headers: headersOf(answer), body: answer.body });
  return `${answer.status} ${typeof error === 'string' ? error : error.code}`;
}

function headersOf({ rawHeaders }: RawResponse): IncomingHttpHeaders {
  return Object.fromEntries(
    rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [[name.toLowerCase(), rawHeaders[n + 1] ?? '']] : [])),
  );
}
