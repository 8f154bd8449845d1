import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type FastifyAdapter, RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER, type Logger } from './logger.js';
import { MetricsService } from './metrics.service.js';
import { CLIENT_CLOSED_REQUEST, endingOf, RequestRecord, traceIdOf } from './request-record.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request leaves in metrics and log. There from the first hook on. */
    record: RequestRecord;
  }
}

/** Marks a route whose requests the metrics count. */
export const Counted = (): MethodDecorator => RouteConfig({ isCounted: true });

/** Opens a record for each request and, when its connection lets go of it, counts and logs it. */
@Injectable()
export class RequestTelemetry implements OnModuleInit {
  private readonly running = new Map<RequestRecord, FastifyReply>();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
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

  /** The requests that have not ended, and what will answer them. */
  get unfinished(): ReadonlyMap<RequestRecord, FastifyReply> {
    return this.running;
  }

  private begin(request: FastifyRequest, reply: FastifyReply): RequestRecord {
    const { isCounted = false } = request.routeOptions.config as { isCounted?: boolean };
    const traceId = traceIdOf(request.headers['traceparent']);
    const record = new RequestRecord(request.id, traceId, performance.now(), isCounted);
    this.running.set(record, reply);
    if (isCounted) this.metrics.requestStarted();
    // Emitted once for every response, finished or not.
    reply.raw.once('close', () => this.finish(record, reply));
    return record;
  }

  private finish(record: RequestRecord, { raw }: FastifyReply): void {
    const { mode, startedAtMs, firstByteAtMs, isCounted } = record;
    this.running.delete(record);
    const ending = endingOf(record, raw.writableFinished);
    const sent = raw.headersSent ? raw.statusCode : CLIENT_CLOSED_REQUEST;
    const durationMs = performance.now() - startedAtMs;

    if (isCounted) {
      if (ending === 'client_gone') this.metrics.clientLeft(record.phase);
      this.metrics.requestFinished(mode, ending === 'client_gone' ? CLIENT_CLOSED_REQUEST : sent, durationMs);
      if (firstByteAtMs !== undefined) this.metrics.firstByteSent(mode, firstByteAtMs - startedAtMs);
    }

    this.logger[isCounted ? 'info' : 'debug'](
      {
        req_id: record.id,
        trace_id: record.traceId,
        mode,
        candidates: record.candidates,
        model: record.model ?? null,
        attempts: record.attempts,
        failovers: record.failovers,
        status: sent,
        ending,
        ttfb_ms: firstByteAtMs === undefined ? null : round(firstByteAtMs - startedAtMs),
        duration_ms: round(durationMs),
        bytes_in: record.bytesIn,
        bytes_out: raw.req.method === 'HEAD' ? 0 : record.bytesOut,
      },
      'request',
    );
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
