import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toApiError } from '../openai/to-error-response.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { sendError } from './send-error.js';

/** The one place where failures become answers. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toApiError(thrown, request.raw.url ?? '');
    if (error.code === 'internal_error') this.report(thrown, request.id);

    if (reply.raw.writableEnded) return;
    // An answer that has begun, or is about to, must not look complete.
    if (reply.sent || reply.raw.headersSent) {
      request.record.isInterrupted = true;
      reply.raw.destroy();
      return;
    }
    sendError(reply, error, request.id);
  }

  /** Without the message, which may quote what a client sent. */
  private report(thrown: unknown, requestId: string): void {
    const { name, code, message, stack } = (thrown ?? {}) as Readonly<Record<string, unknown>>;
    const frames =
      String(stack)
        .replace(String(message), '')
        .match(/^\s+at .*$/gm) ?? [];
    this.logger.error(
      { req_id: requestId, name, code, frames: frames.map((frame) => frame.trim()) },
      'internal error',
    );
  }
}
