import { plainPath } from '../openai/plain-path.js';
import { PROXIED_PATHS } from '../openai/served-paths.js';

/**
 * The route of a request that the metrics count, with nothing of the client's in it.
 *
 * @param url its path, which was found to be one that is served, in whatever spelling, and its query
 */
export function servedRoute(url: string): string {
  // Fastify ends a path at a `#`, too, and reads nothing behind it.
  const path = plainPath(url.split('#', 1)[0] as string);
  return PROXIED_PATHS.find((served) => served === path) ?? '/chutes/{chute}/evidence';
}
