/** Headers as name, value, name, value, … in the order and case they came in. */
export type FlatHeaders = readonly string[];

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
  const named = namedByConnection(raw);
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (passesUpstream(name.toLowerCase(), named)) headers.push(name, raw[i + 1] as string);
  }
  headers.push('accept-encoding', 'identity', 'x-request-id', requestId);
  return headers;
}

function passesUpstream(name: string, named: ReadonlySet<string> | undefined): boolean {
  if (isHopByHop(name, named) || NOT_FOR_UPSTREAM.has(name) || name.startsWith(OWN_PREFIX)) return false;
  const dashed = name.includes('_') ? name.replaceAll('_', '-') : name;
  return !CLIENT_TRACES.has(dashed) && !CLIENT_TRACE_PREFIX.test(dashed);
}

/** The upstream's headers as the client is to get them. `omitLength`: something may be added to the body. */
export function toClientHeaders(raw: FlatHeaders, omitLength: boolean): string[] {
  const named = namedByConnection(raw);
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (isHopByHop(name, named) || NOT_FOR_CLIENT.has(name)) continue;
    if (name.startsWith(NOT_FOR_CLIENT_PREFIX) || name.startsWith(OWN_PREFIX)) continue;
    if (omitLength && name === 'content-length') continue;
    headers.push(raw[i] as string, raw[i + 1] as string);
  }
  return headers;
}

function isHopByHop(name: string, named: ReadonlySet<string> | undefined): boolean {
  return HOP_BY_HOP.has(name) || name.startsWith(HOP_BY_HOP_PREFIX) || named?.has(name) === true;
}

function namedByConnection(raw: FlatHeaders): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const token of (raw[i + 1] as string).split(','))
      (named ??= new Set()).add(token.trim().toLowerCase());
  }
  return named;
}

/** The first value of a header. @param name in lower case. */
export function headerOf(raw: FlatHeaders, name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) {
    const candidate = raw[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return raw[i + 1];
  }
  return undefined;
}

const PRINTABLE_ASCII = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A model's name as a header value: percent-encoded where it cannot be one. */
export function asHeaderValue(model: string): string {
  return PRINTABLE_ASCII.test(model) ? model : encodeURIComponent(model);
}
