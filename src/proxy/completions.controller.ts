import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { AdmissionService } from '../http-edge/admission.service.js';
import { COUNTED } from '../telemetry/request-telemetry.service.js';
import { ProxyService } from './proxy.service.js';

const PATHS = ['/v1/chat/completions', '/v1/completions'];

/**
 * The endpoints that are proxied. Fastify and Nest would cost more than all that the router does to a request, so requests
 * are taken past them where their path is spelled as it mostly is.
 */
@Controller()
export class CompletionsController implements OnModuleInit {
  constructor(
    private readonly proxy: ProxyService,
    private readonly admission: AdmissionService,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
  ) {}

  /** @returns whether the request is one for these endpoints. */
  takes(request: IncomingMessage, response: ServerResponse): boolean {
    const url = request.url as string;
    const query = url.indexOf('?');
    const path = query === -1 ? url : url.slice(0, query);
    if (request.method !== 'POST' || !PATHS.includes(path)) return false;
    const record = this.admission.admit(request, response, COUNTED.isCounted);
    if (record) void this.proxy.answer(record, path);
    return true;
  }

  /** For paths in other spellings, such as with percent-encoded letters. */
  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance();
    for (const path of PATHS) {
      fastify.post(path, { config: COUNTED }, ({ record }, reply) => {
        reply.hijack();
        void this.proxy.answer(record, path);
      });
    }
  }
}
