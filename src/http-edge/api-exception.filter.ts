import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FailureService } from './failure.service.js';

/** The one place where what Nest catches becomes an answer. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  constructor(private readonly failures: FailureService) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    http.getResponse<FastifyReply>().hijack();
    this.failures.answer(thrown, http.getRequest<FastifyRequest>().record);
  }
}
