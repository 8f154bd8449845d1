import type { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../request/request-record.js';
import { answerLast } from './closing.socket.js';
import { errorHead, errorText } from './error-head.js';
import { letBodyPass } from './pass-body.socket.js';
import { cutIfStalled } from './stalled-answer.timer.js';

/** Answers a request that nobody has begun to answer. */
export function sendError(record: RequestRecord, error: ApiError): void {
  const { request, response, mode, attempts } = record;
  // Who names one model, or asks for no completion, is not told of attempts.
  if (attempts > 0 && (mode === 'alias' || mode === 'list')) {
    response.setHeader('x-chutes-autopilot-attempts', attempts);
  }
  if (error.closesConnection && !request.complete) {
    const body = answerLast(response, error, record.id, {
      written: (failure) => {
        record.isDelivered = !failure;
      },
    });
    record.answered(body, performance.now());
    return;
  }
  const body = errorText(error, request.url as string, record.id);
  if (error.closesConnection) response.setHeader('connection', 'close');
  response.writeHead(error.status, errorHead(error, body, record.id));
  record.answered(body, performance.now());
  letBodyPass(request);
  response.end(body);
  cutIfStalled(response, record);
}
