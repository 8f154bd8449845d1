import { ApiError } from './api-error.js';

const READ = ['GET', 'HEAD'];

/** Every path that is served, with its methods. */
const SERVED: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\/v1\/chat\/completions$/, ['POST']],
  [/^\/v1\/completions$/, ['POST']],
  [/^\/v1\/models(?:\/.*)?$/, READ],
  [/^\/chutes\/[^/]+\/evidence$/, READ],
  [/^\/(?:healthz|readyz|metrics)$/, READ],
];

const WHAT_IS_SERVED =
  'This router serves POST /v1/chat/completions, POST /v1/completions, GET /v1/models and GET /v1/models/{id}.';

/** @returns `undefined` for a path that is not served. */
export function methodsServedAt(url: string): readonly string[] | undefined {
  const [path = ''] = url.split('?', 1);
  return SERVED.find(([pattern]) => pattern.test(path))?.[1];
}

/** The error for a request that no route took. */
export function notServed(url: string): ApiError {
  const methods = methodsServedAt(url);
  if (methods) return ApiError.methodNotAllowed(methods);
  return ApiError.notFound(
    url.startsWith('/v1/') ? `Not served here. ${WHAT_IS_SERVED}` : 'There is nothing at this path.',
  );
}
