import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER, type Logger } from './logger.js';
import { MetricsService } from './metrics.service.js';
import { CLIENT_CLOSED_REQUEST, endingOf, RequestRecord, traceIdOf } from './request-record.js';

/** Opens a record for each request that counts and, when its connection lets go of it, counts and logs it. */
@Injectable()
export class RequestTelemetry {
  private readonly running = new Map<RequestRecord, FastifyReply>();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly metrics: MetricsService,
  ) {}

  begin(request: FastifyRequest, reply: FastifyReply): RequestRecord {
    const record = new RequestRecord(
      request.id,
      traceIdOf(request.headers['traceparent']),
      performance.now(),
    );
    this.running.set(record, reply);
    this.metrics.requestStarted();
    // Emitted once for every response, finished or not.
    reply.raw.once('close', () => this.finish(record, reply));
    return record;
  }

  /** The requests that have not ended, and what will answer them. */
  get unfinished(): ReadonlyMap<RequestRecord, FastifyReply> {
    return this.running;
  }

  private finish(record: RequestRecord, { raw }: FastifyReply): void {
    const { mode, startedAtMs, firstByteAtMs } = record;
    this.running.delete(record);
    const ending = endingOf(record, raw.writableFinished);
    const sent = raw.headersSent ? raw.statusCode : CLIENT_CLOSED_REQUEST;
    const durationMs = performance.now() - startedAtMs;

    if (ending === 'client_gone') this.metrics.clientLeft(record.phase);
    this.metrics.requestFinished(mode, ending === 'client_gone' ? CLIENT_CLOSED_REQUEST : sent, durationMs);
    if (firstByteAtMs !== undefined) this.metrics.firstByteSent(mode, firstByteAtMs - startedAtMs);

    this.logger.info(
      {
        req_id: record.id,
        trace_id: record.traceId,
        mode,
        candidates: record.candidates,
        model: record.model,
        attempts: record.attempts,
        failovers: record.failovers,
        status: sent,
        ending,
        ttfb_ms: firstByteAtMs === undefined ? undefined : round(firstByteAtMs - startedAtMs),
        duration_ms: round(durationMs),
        bytes_in: record.bytesIn,
        bytes_out: record.bytesOut,
      },
      'request',
    );
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
