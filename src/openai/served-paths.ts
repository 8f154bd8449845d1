import { ApiError } from './api-error.js';

/** What is proxied: each line is served at the front door and by the controller, and has its CORS and its 405. */
export const PROXIED_PATHS = [
  '/v1/chat/completions', //
  '/v1/completions',
] as const;

const READ = ['GET', 'HEAD'];

/** Every path that is served, with its methods. */
const SERVED: readonly (readonly [RegExp, readonly string[]])[] = [
  ...PROXIED_PATHS.map((path) => [new RegExp(`^${path}$`), ['POST']] as const),
  [/^\/v1\/models(?:\/.*)?$/, READ],
  [/^\/chutes\/[^/]+\/evidence$/, READ],
  [/^\/(?:healthz|readyz|metrics)$/, READ],
];

const WHAT_IS_SERVED = `This router serves ${PROXIED_PATHS.map((path) => `POST ${path}`).join(', ')}, GET /v1/models and GET /v1/models/{id}.`;

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
