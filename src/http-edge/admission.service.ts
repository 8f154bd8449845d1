import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../request/request-record.js';
import { RequestTelemetry } from '../telemetry/request-telemetry.service.js';
import { ALLOW_ORIGIN, corsHeaders, isForScripts, preflightHeaders } from './cors.js';
import { Doors } from './doors.js';
import { FrontDoor, type Gatekeeper } from './front-door.js';
import { OverloadService } from './overload.service.js';
import { PortsService } from './ports.service.js';
import { requestIdOf } from '../request/request-id.js';
import { countReadStep } from '../runtime/turn-limit.timer.js';
import { sendError } from './send-error.socket.js';

/**
 * What every request goes through first, whether a route of Fastify's answers it or not. One whose path cannot be read is only
 * opened.
 */
@Injectable()
export class AdmissionService implements OnModuleInit, Gatekeeper {
  private isClosed = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly telemetry: RequestTelemetry,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly ports: PortsService,
    private readonly overload: OverloadService,
    private readonly doors: Doors,
    frontDoor: FrontDoor,
  ) {
    frontDoor.guardedBy(this);
  }

  onModuleInit(): void {
    // The adapter runs this hook before all others, so that what they refuse has a record, too.
    this.host.httpAdapter.setOnRequestHook(
      (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
        const { config, url: route } = request.routeOptions;
        const isShut = route !== undefined && this.doors.isShut(route);
        const { isCounted = false } = config as { isCounted?: boolean };
        request.record = this.open(request.raw, reply.raw, isCounted && !isShut);
        if (!this.ports.serves(request.raw, route)) {
          reply.hijack();
          sendError(request.record, ApiError.notFound('There is nothing at this path.'));
          return;
        }
        const preflight = this.preflightHeaders(request.record);
        if (preflight) void reply.code(204).headers(preflight).send();
        else if (this.refuses(request.record)) reply.hijack();
        else if (isShut) {
          reply.hijack();
          sendError(request.record, this.doors.served.notServed(request.raw.url as string));
        } else done();
      },
    );
  }

  /** @returns `undefined` if the request has been answered. */
  admit(request: IncomingMessage, response: ServerResponse, isCounted: boolean): RequestRecord | undefined {
    const record = this.open(request, response, isCounted);
    return this.refuses(record) ? undefined : record;
  }

  /** Opens the request's record and grants what CORS has to grant. */
  open(request: IncomingMessage, response: ServerResponse, isCounted: boolean): RequestRecord {
    countReadStep();
    const { corsOrigins } = this.config;
    if (corsOrigins.length > 0 && isForScripts(request.url as string)) {
      // On the raw response, so that relayed answers and errors alike carry them.
      response.setHeaders(new Map(Object.entries(corsHeaders(corsOrigins, request.headers.origin))));
    }
    return this.telemetry.begin(request, response, requestIdOf(request), isCounted);
  }

  /** From now on nothing is admitted but at the admin port. */
  close(): void {
    this.isClosed = true;
  }

  private refuses(record: RequestRecord): boolean {
    if (this.isClosed && !this.ports.isInside(record.request)) {
      sendError(record, ApiError.shuttingDown());
      return true;
    }
    // What is counted is what costs something.
    if (record.isCounted && this.overload.isLagging) {
      this.overload.shed('lag');
      sendError(record, ApiError.overloaded('lag'));
      return true;
    }
    return false;
  }

  private preflightHeaders({ request, response }: RequestRecord): ReturnType<typeof preflightHeaders> {
    if (!response.hasHeader(ALLOW_ORIGIN)) return undefined;
    const methods = this.doors.served.methodsAt(request.url as string);
    return preflightHeaders(request.method as string, methods, request.headers);
  }
}
