import type { FastifyReply } from 'fastify';
import type { ApiError } from './api-error.js';

export function sendError(reply: FastifyReply, error: ApiError, requestId: string): void {
  void reply.code(error.status).headers(error.headers).header('x-request-id', requestId);
  if (error.closesConnection) void reply.header('connection', 'close');
  void reply.type('application/json; charset=utf-8').send(error.toBody());
}
