import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toApiError } from '../openai/to-error-response.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import type { RequestRecord } from '../request/request-record.js';
import { OverloadService } from './overload.service.js';
import { sendError } from './send-error.socket.js';

/** The one place where failures become answers. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly overload: OverloadService,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    http.getResponse<FastifyReply>().hijack();
    this.answer(thrown, http.getRequest<FastifyRequest>().record);
  }

  answer(thrown: unknown, record: RequestRecord): void {
    const { request, response } = record;
    const error = toApiError(thrown, request.url ?? '');
    if (error.code === 'internal_error') this.report(thrown, record.id);
    if (error.shedFor) this.overload.shed(error.shedFor);

    if (response.writableEnded) return;
    // An answer that has begun must not look complete.
    if (response.headersSent) {
      record.isInterrupted = true;
      response.destroy();
    } else {
      sendError(record, error);
    }
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
