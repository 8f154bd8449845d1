import type { IncomingHttpHeaders } from 'node:http';
import { allowsOrigin } from '../config/origins.js';

/** All that a script may read of an answer beside its body; OpenAI's client looks for the last two. */
const EXPOSED =
  'x-request-id, x-chutes-autopilot-selected, x-chutes-autopilot-attempts, retry-after, x-should-retry';
const PREFLIGHT_MAX_AGE_SECS = '600';

export const ALLOW_ORIGIN = 'access-control-allow-origin';

type Headers = Readonly<Record<string, string>>;

/** Whether scripts of other origins may be let in at all: what the inside asks for is none of theirs. */
export function isForScripts(url: string): boolean {
  return /^\/(?:v1|chutes)(?:[/?]|$)/.test(url);
}

/** @param allowed origins, or `*`. Credentials are never allowed: clients send their key themselves. */
export function corsHeaders(allowed: readonly string[], origin: string | undefined): Headers {
  const vary = { vary: 'Origin' };
  const isForAll = allowed.includes('*');
  if (origin === undefined || !(isForAll || allowsOrigin(allowed, origin))) return vary;
  return {
    ...vary,
    [ALLOW_ORIGIN]: isForAll ? '*' : origin,
    'access-control-expose-headers': EXPOSED,
  };
}

/**
 * @param methods that the path serves; `undefined` for one that is not served
 * @returns `undefined` if the request is no preflight, or one for a path that is not served.
 */
export function preflightHeaders(
  method: string,
  methods: readonly string[] | undefined,
  headers: IncomingHttpHeaders,
): Headers | undefined {
  const requestedMethod = headers['access-control-request-method'];
  const requestedHeaders = headers['access-control-request-headers'];
  if (method !== 'OPTIONS' || requestedMethod === undefined || methods === undefined) return undefined;
  return {
    vary: 'Origin, Access-Control-Request-Headers',
    'access-control-allow-methods': methods.join(', '),
    'access-control-max-age': PREFLIGHT_MAX_AGE_SECS,
    ...(requestedHeaders === undefined ? {} : { 'access-control-allow-headers': requestedHeaders }),
  };
}
