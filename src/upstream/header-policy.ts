import { HeaderSieve } from './header-sieve.js';
import type { FlatHeaders } from './headers.js';

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
const HOP_BY_HOP_PREFIX = 'proxy-';
const OWN_PREFIX = 'x-chutes-autopilot-';

const NOT_FOR_UPSTREAM: ReadonlySet<string> = new Set([
  'accept-encoding',
  'content-length',
  'cookie',
  'expect',
  'host',
  'x-request-id',
]);

/** What tells the client's address or way. Some servers read `_` as `-`, so both spellings stay behind. */
const CLIENT_TRACES: ReadonlySet<string> = new Set([
  'fastly-client-ip',
  'forwarded',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-real-ip',
]);
const CLIENT_TRACE_PREFIX = /^(?:cf|x-(?:envoy|forwarded|original))-/;

const NOT_FOR_CLIENT: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'set-cookie',
  'strict-transport-security',
  'x-request-id',
]);
const NOT_FOR_CLIENT_PREFIX = 'access-control-';

/** The client's headers as the upstream is to get them. */
export function toUpstreamHeaders(raw: FlatHeaders, requestId: string): string[] {
  const headers = upstreamSieve.pass(raw);
  headers.push('accept-encoding', 'identity', 'x-request-id', requestId);
  return headers;
}

/** The upstream's headers as the client is to get them. `omitLength`: something may be added to the body. */
export function toClientHeaders(raw: FlatHeaders, omitLength: boolean): string[] {
  return (omitLength ? clientSieveWithoutLength : clientSieve).pass(raw);
}

function passesUpstream(name: string): boolean {
  if (isHopByHop(name) || NOT_FOR_UPSTREAM.has(name) || name.startsWith(OWN_PREFIX)) return false;
  const dashed = name.replaceAll('_', '-');
  return !CLIENT_TRACES.has(dashed) && !CLIENT_TRACE_PREFIX.test(dashed);
}

function passesClient(name: string): boolean {
  return (
    !isHopByHop(name) &&
    !NOT_FOR_CLIENT.has(name) &&
    !name.startsWith(NOT_FOR_CLIENT_PREFIX) &&
    !name.startsWith(OWN_PREFIX)
  );
}

function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name) || name.startsWith(HOP_BY_HOP_PREFIX);
}

const upstreamSieve = new HeaderSieve(passesUpstream);
const clientSieve = new HeaderSieve(passesClient);
const clientSieveWithoutLength = new HeaderSieve((name) => name !== 'content-length' && passesClient(name));
