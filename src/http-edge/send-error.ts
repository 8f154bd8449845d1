import type { FastifyReply } from 'fastify';
import type { ApiError } from '../openai/api-error.js';

/**
 * How long a client that is still sending may go on after its answer, in milliseconds. To close at once would
 * reset the connection, and the answer might be lost with it.
 */
const LINGER_MS = 1_000;

export function sendError(reply: FastifyReply, error: ApiError, requestId: string): void {
  const { raw: request } = reply.request;
  if (error.closesConnection && !request.complete) {
    lingeringly(reply, error, requestId);
    return;
  }
  void reply.code(error.status).headers(error.headers).header('x-request-id', requestId);
  if (error.closesConnection) void reply.header('connection', 'close');
  void reply.type('application/json; charset=utf-8').send(error.toBody());
}

function lingeringly(reply: FastifyReply, error: ApiError, requestId: string): void {
  const { raw } = reply;
  const { raw: request } = reply.request;
  const { record } = reply.request;
  const body = JSON.stringify(error.toBody());
  record.answered(body, performance.now());
  reply.hijack();
  raw.writeHead(error.status, {
    ...error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    connection: 'close',
  });
  raw.write(body, (failure) => {
    record.isDelivered = !failure;
  });
  const timer = setTimeout(finish, LINGER_MS);
  request.once('end', finish).once('close', finish).resume();

  function finish(): void {
    clearTimeout(timer);
    raw.end();
  }
}
