import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Config } from '../config/config.js';
import type { Logger } from './logger.js';
import {
  attemptAttributes,
  attemptName,
  errorTypeOf,
  type OpenTrace,
  operationOf,
  serverAttributes,
  type TracedRequest,
  type Tracing,
  UnsampledTrace,
} from './tracing.js';

type TraceConfig = NonNullable<Config['traces']>;

const SERVICE = 'chutes-autopilot';
/** How long a process that ends waits for its last spans to be taken. */
const FLUSH_MS = 2_000;

/**
 * Traces by OpenTelemetry's SDK. It is not made the global one of the process: libraries would add spans of their own, with what
 * they were called with.
 */
export class OpenTelemetryClient implements Tracing {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private readonly propagator = new W3CTraceContextPropagator();

  constructor(config: TraceConfig, logger: Logger) {
    this.provider = new TracerProvider({
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': SERVICE }))
        .merge(detectResources({ detectors: [envDetector] })),
      sampler: samplerOf(config),
      spanProcessors: [
        new BatchSpanProcessor({ exporter: new WatchedExporter(new OTLPTraceExporter(), logger) }),
      ],
    });
    this.tracer = this.provider.getTracer(SERVICE);
  }

  begin(headers: NodeJS.Dict<string | string[]>, route: string): OpenTrace {
    const parent = this.propagator.extract(ROOT_CONTEXT, headers, HEADERS);
    const server = this.tracer.startSpan('request', { kind: SpanKind.SERVER }, parent);
    if (!server.isRecording()) return new UnsampledTrace(server.spanContext().traceId);
    return new Trace(this.tracer, server, trace.setSpan(parent, server), route);
  }

  async finish(): Promise<void> {
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
    await Promise.race([this.provider.shutdown().catch(() => {}), timeout]);
  }
}

const HEADERS = {
  get: (headers: NodeJS.Dict<string | string[]>, name: string) => headers[name],
  keys: (headers: NodeJS.Dict<string | string[]>) => Object.keys(headers),
};

export function samplerOf({ sampler, ratio }: TraceConfig): Sampler {
  switch (sampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

/** A server's span, and within it a client's for each attempt, one after the other. */
class Trace implements OpenTrace {
  private readonly operation: ReturnType<typeof operationOf>;
  private model: string | undefined;
  private attempt: Span | undefined;
  private attempts = 0;

  constructor(
    private readonly tracer: Tracer,
    private readonly server: Span,
    private readonly context: Context,
    private readonly route: string,
  ) {
    this.operation = operationOf(route);
  }

  get traceId(): string {
    return this.server.spanContext().traceId;
  }

  asked(model: string): void {
    this.model = model;
  }

  attempted({ method, origin }: { method: string; origin: string }, model?: string): void {
    this.attempt?.end();
    const asked = { operation: this.operation, model, method, origin, n: this.attempts };
    this.attempts += 1;
    const options = { kind: SpanKind.CLIENT, attributes: attemptAttributes(asked) };
    this.attempt = this.tracer.startSpan(attemptName(asked), options, this.context);
  }

  answered(status: number): void {
    this.attempt?.setAttribute('http.response.status_code', status);
  }

  failed(reason: string): void {
    fail(this.attempt, reason);
  }

  ended(request: TracedRequest): void {
    const { server, attempt, route } = this;
    if (attempt) {
      if (request.model !== undefined) attempt.setAttribute('gen_ai.response.model', request.model);
      if (request.ending === 'interrupted') fail(attempt, 'interrupted');
      attempt.end();
    }
    server.updateName(`${request.method} ${route}`);
    server.setAttributes(serverAttributes(route, request, this.model));
    const error = errorTypeOf(request);
    if (error !== undefined) server.setStatus({ code: SpanStatusCode.ERROR });
    server.end();
  }
}

function fail(span: Span | undefined, reason: string): void {
  span?.setAttribute('error.type', reason).setStatus({ code: SpanStatusCode.ERROR });
}

/** Says once when spans are no longer taken, and once when they are again. */
class WatchedExporter implements SpanExporter {
  private isFailing = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly logger: Logger,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.report(result.code !== ExportResultCode.SUCCESS);
      done(result);
    });
  }

  async shutdown(): Promise<void> {
    await this.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  /** Without the error, which may quote a header. */
  private report(isFailing: boolean): void {
    if (isFailing === this.isFailing) return;
    this.isFailing = isFailing;
    if (isFailing) this.logger.warn('traces are not taken');
    else this.logger.info('traces are taken again');
  }
}
