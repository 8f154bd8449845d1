import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type FastifyAdapter, RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOG_DESTINATION, type LogDestination, LOGGER, type Logger } from './logger.js';
import { MetricsService } from './metrics.service.js';
import { CLIENT_CLOSED_REQUEST, endingOf, RequestRecord, traceIdOf } from './request-record.js';
import { requestLine } from './request-line.js';
import { Roster } from './roster.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request leaves in metrics and log. There from the first hook on. */
    record: RequestRecord;
  }
}

/** Marks a route whose requests the metrics count. */
export const COUNTED = { isCounted: true } as const;
export const Counted = (): MethodDecorator => RouteConfig(COUNTED);

/** Opens a record for each request and, when its connection lets go of it, counts and logs it. */
@Injectable()
export class RequestTelemetry implements OnModuleInit {
  private readonly running = new Roster<FastifyReply>();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(LOG_DESTINATION) private readonly destination: LogDestination,
    private readonly metrics: MetricsService,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
  ) {}

  onModuleInit(): void {
    // The adapter runs this hook before all others, so that what they refuse has a record, too.
    this.host.httpAdapter.setOnRequestHook(
      (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
        request.record = this.begin(request, reply);
        done();
      },
    );
  }

  /** The replies to the requests that have not ended. */
  get unfinished(): Pick<Roster<FastifyReply>, 'size' | typeof Symbol.iterator> {
    return this.running;
  }

  private begin(request: FastifyRequest, reply: FastifyReply): RequestRecord {
    const { isCounted = false } = request.routeOptions.config as { isCounted?: boolean };
    const traceId = traceIdOf(request.headers['traceparent']);
    const record = new RequestRecord(request.id, traceId, performance.now(), isCounted);
    if (isCounted) this.metrics.requestStarted();
    // Emitted once for every response, finished or not.
    const entry = this.running.add(reply);
    reply.raw.once('close', () => {
      this.running.remove(entry);
      this.finish(record, reply);
      record.leave();
    });
    return record;
  }

  private finish(record: RequestRecord, { raw }: FastifyReply): void {
    const { mode, startedAtMs, firstByteAtMs, isCounted } = record;
    const ending = endingOf(record, raw.writableFinished);
    const sent = raw.headersSent ? raw.statusCode : CLIENT_CLOSED_REQUEST;
    const endedAtMs = performance.now();

    if (isCounted) {
      if (ending === 'client_gone') this.metrics.clientLeft(record.phase);
      const status = ending === 'client_gone' ? CLIENT_CLOSED_REQUEST : sent;
      this.metrics.requestFinished(mode, status, endedAtMs - startedAtMs);
      if (firstByteAtMs !== undefined) this.metrics.firstByteSent(mode, firstByteAtMs - startedAtMs);
    }

    const level = isCounted ? 'info' : 'debug';
    if (!this.logger.isLevelEnabled(level)) return;
    const bytesOut = raw.req.method === 'HEAD' ? 0 : record.bytesOut;
    this.destination.write(
      requestLine(record, { level, timeMs: Date.now(), endedAtMs, status: sent, ending, bytesOut }),
    );
  }
}
