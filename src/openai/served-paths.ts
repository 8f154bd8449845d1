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
  [/^\/autopilot(?:\/(?:models|decisions|events|[a-z-]+\.(?:css|js)))?$/, READ],
];

const WHAT_IS_SERVED = `This router serves ${PROXIED_PATHS.map((path) => `POST ${path}`).join(', ')}, GET /v1/models and GET /v1/models/{id}.`;

/** How the paths end that a client makes of its base URL, and what they are with the right one. */
const CLIENT_PATHS: readonly (readonly [RegExp, string])[] = [
  [/\/chat\/completions$/, '/v1/chat/completions'],
  [/\/completions$/, '/v1/completions'],
  [/\/models$/, '/v1/models'],
  [/\/models\/./, '/v1/models/{id}'],
];

const BASE_URL =
  'The base URL of a client is the address of this router followed by /v1 and nothing else, as in http://127.0.0.1:8080/v1.';

/** @returns `undefined` for a path that is not served. */
export function methodsServedAt(url: string): readonly string[] | undefined {
  const [path = ''] = url.split('?', 1);
  return SERVED.find(([pattern]) => pattern.test(path))?.[1];
}

/** The error for a request that no route took. */
export function notServed(url: string): ApiError {
  const methods = methodsServedAt(url);
  if (methods) return ApiError.methodNotAllowed(methods);
  const path = plainPath(url);
  const [, meant] = CLIENT_PATHS.find(([ending]) => ending.test(path)) ?? [];
  if (meant !== undefined) {
    return ApiError.notFound(`There is nothing at this path. Did you mean ${meant}? ${BASE_URL}`);
  }
  if (path === '' || path === '/v1') {
    return ApiError.notFound(`There is nothing at this path alone. ${BASE_URL} ${WHAT_IS_SERVED}`);
  }
  return ApiError.notFound(
    path.startsWith('/v1/') ? `Not served here. ${WHAT_IS_SERVED}` : 'There is nothing at this path.',
  );
}

/** In lower case, without a query, and without the slashes that are too many. */
function plainPath(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path.toLowerCase().replace(/\/+/g, '/').replace(/\/$/, '');
}
