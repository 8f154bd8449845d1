import type { RequestTrace } from '../request/request-trace.js';
import type { Finished } from './request-line.js';

/** Injection token of the {@link Tracing}; `undefined` where traces go nowhere. */
export const TRACING = Symbol('Tracing');

/** Who makes traces of requests. */
export interface Tracing {
  /**
   * @param headers the client's, which may name the trace that the request is a part of
   * @param route of the request, as it is served: nothing of a client's
   */
  begin(headers: NodeJS.Dict<string | string[]>, route: string): OpenTrace;
  /** Sends what has not been sent. */
  finish(): Promise<void>;
}

/** The trace of a request that is running. */
export interface OpenTrace extends RequestTrace {
  readonly traceId: string;
  ended(request: TracedRequest): void;
}

/** Of a request that the sampler left out; it leaves out the attempts as well. An id, and no work. */
export class UnsampledTrace implements OpenTrace {
  constructor(readonly traceId: string) {}

  asked(): void {}
  attempted(): void {}
  answered(): void {}
  failed(): void {}
  ended(): void {}
}

/** What a trace says of a request when it has ended. */
export interface TracedRequest extends Pick<Finished, 'status' | 'ending'> {
  readonly method: string;
  readonly mode: string;
  readonly alias: string | undefined;
  readonly model: string | undefined;
  readonly attempts: number;
  readonly requestId: string;
}

type Attributes = Record<string, string | number>;

/** Longer names of models are cut. */
const MAX_NAME = 256;

/** What was asked, by the path. The words are those of OpenTelemetry's conventions for generative AI. */
export function operationOf(route: string): 'chat' | 'text_completion' | undefined {
  if (route === '/v1/completions') return 'text_completion';
  return /^\/v1\/(?:chat\/completions|responses|messages)$/.test(route) ? 'chat' : undefined;
}

/** @param asked the value of `model` that the client sent, once it is known */
export function serverAttributes(
  route: string,
  request: TracedRequest,
  asked: string | undefined,
): Attributes {
  const operation = operationOf(route);
  return defined({
    'http.request.method': request.method,
    'http.route': route,
    'http.response.status_code': request.status,
    'url.scheme': 'http',
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': operation && PROVIDER,
    'gen_ai.request.model': asked?.slice(0, MAX_NAME),
    'gen_ai.response.model': request.model,
    'chutes_autopilot.request_id': request.requestId,
    'chutes_autopilot.mode': request.mode === 'none' ? undefined : request.mode,
    'chutes_autopilot.alias': request.alias,
    'chutes_autopilot.attempts': request.attempts,
    'chutes_autopilot.ending': request.ending,
    'error.type': errorTypeOf(request),
  });
}

const PROVIDER = 'chutes';

/** A client's own error is none of the server's, as the conventions for HTTP have it. */
export function errorTypeOf({ status, ending }: Pick<Finished, 'status' | 'ending'>): string | undefined {
  if (ending === 'client_gone') return undefined;
  if (ending === 'interrupted') return 'interrupted';
  return status >= 500 ? String(status) : undefined;
}

/** What is asked of an upstream. */
export interface TracedAttempt {
  readonly operation: string | undefined;
  readonly model: string | undefined;
  readonly method: string;
  /** Of the upstream. */
  readonly origin: string;
  /** From 0 on. */
  readonly n: number;
}

/** As the conventions for generative AI name a call of a model, and those for HTTP any other. */
export function attemptName({ operation, model, method }: TracedAttempt): string {
  return operation === undefined || model === undefined ? method : `${operation} ${model.slice(0, MAX_NAME)}`;
}

export function attemptAttributes({ operation, model, method, origin, n }: TracedAttempt): Attributes {
  const { hostname, port, protocol } = new URL(origin);
  return defined({
    'http.request.method': method,
    'gen_ai.operation.name': operation,
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    'gen_ai.provider.name': model && PROVIDER,
    'gen_ai.request.model': model?.slice(0, MAX_NAME),
    'http.request.resend_count': n > 0 ? n : undefined,
  });
}

function defined(attributes: Readonly<Record<string, string | number | undefined>>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}
