/** Headers as name, value, name, value, … in the order and case they came in. */
export type FlatHeaders = readonly string[];

/** Beyond this something else may lie in between. */
const MAX_DECODED_TOGETHER = 16_384;

/**
 * Headers as the parser found them: mostly all in one piece of memory, which is then decoded in one go.
 *
 * @param raw name, value, name, value, …
 */
export function decodeHeaders(raw: readonly Buffer[]): FlatHeaders {
  const [first] = raw;
  const last = raw.at(-1);
  if (!first || !last) return [];
  const { buffer, byteOffset } = first;
  const length = last.byteOffset + last.length - byteOffset;
  if (last.buffer !== buffer || length > MAX_DECODED_TOGETHER)
    return raw.map((bytes) => bytes.toString('latin1'));
  const text = Buffer.from(buffer, byteOffset, Math.max(0, length)).toString('latin1');
  return raw.map((bytes) => {
    const start = bytes.byteOffset - byteOffset;
    const end = start + bytes.length;
    // One that came in two pieces is elsewhere.
    if (bytes.buffer !== buffer || start < 0 || end > text.length) return bytes.toString('latin1');
    return text.slice(start, end);
  });
}

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

const MAX_REMEMBERED = 1_024;
const MAX_REMEMBERED_LENGTH = 64;

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
  const headers = passing(raw, passesUpstream);
  headers.push('accept-encoding', 'identity', 'x-request-id', requestId);
  return headers;
}

const passesUpstream = remembered((name) => {
  if (isHopByHop(name) || NOT_FOR_UPSTREAM.has(name) || name.startsWith(OWN_PREFIX)) return false;
  const dashed = name.replaceAll('_', '-');
  return !CLIENT_TRACES.has(dashed) && !CLIENT_TRACE_PREFIX.test(dashed);
});

/** The upstream's headers as the client is to get them. `omitLength`: something may be added to the body. */
export function toClientHeaders(raw: FlatHeaders, omitLength: boolean): string[] {
  return passing(raw, omitLength ? passesClientWithoutLength : passesClient);
}

const passesClient = remembered(
  (name) =>
    !isHopByHop(name) &&
    !NOT_FOR_CLIENT.has(name) &&
    !name.startsWith(NOT_FOR_CLIENT_PREFIX) &&
    !name.startsWith(OWN_PREFIX),
);

const passesClientWithoutLength = remembered((name) => name !== 'content-length' && passesClient(name));

function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name) || name.startsWith(HOP_BY_HOP_PREFIX);
}

/** The headers whose name passes, less those that a `Connection` header names. */
function passing(raw: FlatHeaders, passes: (name: string) => boolean): string[] {
  const headers: string[] = [];
  let named: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (passes(name)) headers.push(name, value);
    // What it mostly names is a hop-by-hop header anyway.
    else if (isConnection(name) && value !== 'keep-alive') named = named ? `${named},${value}` : value;
  }
  return named ? without(headers, named) : headers;
}

function without(headers: FlatHeaders, connection: string): string[] {
  const named = new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
  return headers.filter((_, i) => !named.has((headers[i - (i % 2)] as string).toLowerCase()));
}

function isConnection(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === 'connection';
}

/**
 * A rule about names in lower case, for names in any case. Verdicts are kept, since names recur; not without
 * limit, since clients can make them up.
 */
function remembered(rule: (name: string) => boolean): (name: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (name) => {
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = rule(name.toLowerCase());
    if (verdicts.size < MAX_REMEMBERED && name.length <= MAX_REMEMBERED_LENGTH) verdicts.set(name, verdict);
    return verdict;
  };
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
