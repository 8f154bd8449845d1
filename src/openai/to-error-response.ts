import { ApiError } from './api-error.js';
import type { ServedPaths } from './served-paths.js';

/**
 * Whatever was thrown, as the error a client is to see. Errors of Nest and Fastify are told by their status;
 * their messages are left out, since they can repeat what the client sent.
 */
export function toApiError(error: unknown, url: string, served: ServedPaths): ApiError {
  if (error instanceof ApiError) return error;
  switch (statusOf(error)) {
    case 404:
      return served.notServed(url);
    case 400:
      return ApiError.badPath();
    case 414:
      return ApiError.notFound('There is nothing at this path.');
    default:
      return ApiError.internal(error);
  }
}

function statusOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('getStatus' in error && typeof error.getStatus === 'function') return error.getStatus();
  return 'statusCode' in error ? error.statusCode : undefined;
}
