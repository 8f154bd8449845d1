import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { LOG_DESTINATION, type LogDestination, LOGGER, type Logger } from './logger.js';
import { MetricsService } from './metrics.service.js';
import {
  CLIENT_CLOSED_REQUEST,
  type Ending,
  endingOf,
  RequestRecord,
  traceIdOf,
} from '../request/request-record.js';
import { type Finished, requestLine } from './request-line.js';
import { servedRoute } from './served-route.js';
import type { OpenTrace, Tracing } from './tracing.js';
import { TRACING } from './tracing.js';
import { Roster } from '../runtime/roster.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** There from the first hook on. */
    record: RequestRecord;
  }
}

/** The configuration of a route whose requests the metrics count. */
export const COUNTED = { isCounted: true } as const;

/** Marks such a route. */
export const Counted = (): MethodDecorator => RouteConfig(COUNTED);

/** Is told of each finished request that the metrics count. What it keeps of the record is its own affair, and its cost. */
export interface FinishWatcher {
  onFinished(record: RequestRecord, finished: Finished): void;
}

/** Opens a record for each request and, when its connection lets go of it, counts and logs it. */
@Injectable()
export class RequestTelemetry implements OnApplicationShutdown {
  private readonly running = new Roster<RequestRecord>();
  private watcher: FinishWatcher | undefined;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(LOG_DESTINATION) private readonly destination: LogDestination,
    private readonly metrics: MetricsService,
    @Inject(TRACING) private readonly tracing: Tracing | undefined,
  ) {}

  /** The requests that have not ended. */
  get unfinished(): Pick<Roster<RequestRecord>, 'size' | typeof Symbol.iterator> {
    return this.running;
  }

  /** From now on this one is told. */
  watchedBy(watcher: FinishWatcher): void {
    this.watcher = watcher;
  }

  begin(request: IncomingMessage, response: ServerResponse, id: string, isCounted: boolean): RequestRecord {
    const trace = isCounted
      ? this.tracing?.begin(request.headers, servedRoute(request.url as string))
      : undefined;
    const traceId = trace?.traceId ?? traceIdOf(request.headers['traceparent']);
    const record = new RequestRecord(request, response, id, traceId, performance.now(), isCounted, trace);
    if (isCounted) this.metrics.requestStarted();
    const entry = this.running.add(record);
    // Emitted once for every response, finished or not.
    response.on('close', () => {
      this.running.remove(entry);
      this.finish(record, trace);
      record.leave();
    });
    return record;
  }

  private finish(record: RequestRecord, trace: OpenTrace | undefined): void {
    const { request, response, mode, startedAtMs, firstByteAtMs, isCounted } = record;
    const ending = endingOf(record, response.writableFinished);
    const sent = response.headersSent ? response.statusCode : CLIENT_CLOSED_REQUEST;
    const endedAtMs = performance.now();

    if (isCounted) {
      if (ending === 'client_gone') this.metrics.clientLeft(record.phase);
      const status = ending === 'client_gone' ? CLIENT_CLOSED_REQUEST : sent;
      this.metrics.requestFinished(mode, status, endedAtMs - startedAtMs);
      if (firstByteAtMs !== undefined) this.metrics.firstByteSent(mode, firstByteAtMs - startedAtMs);
    }

    if (trace) this.endTrace(trace, record, sent, ending);

    const level = isCounted ? 'info' : 'debug';
    const bytesOut = request.method === 'HEAD' ? 0 : record.bytesOut;
    const finished: Finished = { level, timeMs: Date.now(), endedAtMs, status: sent, ending, bytesOut };
    if (isCounted) this.watcher?.onFinished(record, finished);
    if (this.logger.isLevelEnabled(level)) this.destination.write(requestLine(record, finished));
  }

  private endTrace(trace: OpenTrace, record: RequestRecord, status: number, ending: Ending): void {
    const { request, mode, alias, model, attempts, id: requestId } = record;
    const method = request.method as string;
    trace.ended({ method, mode, alias, model, attempts, requestId, status, ending });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tracing?.finish();
  }
}
