import { Controller, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiExceptionFilter } from '../http-edge/api-exception.filter.js';
import { COUNTED } from '../telemetry/request-telemetry.service.js';
import { ProxyService } from './proxy.service.js';

const PATHS = ['/v1/chat/completions', '/v1/completions'];

/**
 * The endpoints that are proxied, as routes of Fastify's own: Nest's wrapping costs each request five promises, and
 * these answer on the raw response anyway. Whatever they throw reaches the exception filter all the same.
 */
@Controller()
export class CompletionsController implements OnModuleInit {
  constructor(
    private readonly proxy: ProxyService,
    private readonly failures: ApiExceptionFilter,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance();
    for (const path of PATHS) {
      fastify.post(path, { config: COUNTED }, (request, reply) => void this.complete(request, reply, path));
    }
  }

  private async complete(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    try {
      await this.proxy.answer(request, reply, path);
    } catch (error) {
      this.failures.answer(error, request, reply);
    }
  }
}
