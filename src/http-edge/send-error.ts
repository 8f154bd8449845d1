import type { FastifyReply } from 'fastify';
import type { ApiError } from '../openai/api-error.js';
import { answerLast } from './closing.js';

export function sendError(reply: FastifyReply, error: ApiError, requestId: string): void {
  const { raw: request } = reply.request;
  if (error.closesConnection && !request.complete) {
    const { record } = reply.request;
    reply.hijack();
    const body = answerLast(reply.raw, error, requestId, (failure) => {
      record.isDelivered = !failure;
    });
    record.answered(body, performance.now());
    return;
  }
  void reply.code(error.status).headers(error.headers).header('x-request-id', requestId);
  if (error.closesConnection) void reply.header('connection', 'close');
  void reply.type('application/json; charset=utf-8').send(error.toBody());
}
