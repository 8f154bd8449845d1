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
  const headers: string[] = [];
  for (const bytes of raw) {
    const start = bytes.byteOffset - byteOffset;
    const end = start + bytes.length;
    // One that came in two pieces is elsewhere.
    const isWithin = bytes.buffer === buffer && start >= 0 && end <= text.length;
    headers.push(isWithin ? text.slice(start, end) : bytes.toString('latin1'));
  }
  return headers;
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

const REMEMBERED_LAYOUTS = 256;

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

/** The names of a message's headers, and where in the flat list those are that matter. */
interface Layout {
  readonly names: readonly string[];
  readonly passing: readonly number[];
  readonly connections: readonly number[];
}

/**
 * Lets those headers pass whose name does, less those that a `Connection` header names. Clients and servers send the same names
 * again and again, and to compare them with a layout that is known takes a fraction of what it takes to look up each.
 */
class Sieve {
  private readonly layouts: Layout[] = [];

  /** @param passes is asked about names in lower case. */
  constructor(private readonly passes: (name: string) => boolean) {}

  pass(raw: FlatHeaders): string[] {
    const headers: string[] = [];
    const { passing, connections } = this.layoutOf(raw);
    for (const at of passing) headers.push(raw[at] as string, raw[at + 1] as string);
    let named: string | undefined;
    for (const at of connections) {
      const value = raw[at + 1] as string;
      // What it mostly names is a hop-by-hop header anyway.
      if (value !== 'keep-alive') named = named ? `${named},${value}` : value;
    }
    return named ? without(headers, named) : headers;
  }

  private layoutOf(raw: FlatHeaders): Layout {
    const slot = slotOf(raw);
    const known = this.layouts[slot];
    if (known && hasNames(raw, known.names)) return known;
    const names = raw.filter((_, i) => i % 2 === 0);
    const lower = names.map((name) => name.toLowerCase());
    const layout = {
      names,
      passing: placesOf(lower, this.passes),
      connections: placesOf(lower, (name) => name === 'connection'),
    };
    this.layouts[slot] = layout;
    return layout;
  }
}

const upstreamSieve = new Sieve(passesUpstream);
const clientSieve = new Sieve(passesClient);
const clientSieveWithoutLength = new Sieve((name) => name !== 'content-length' && passesClient(name));

/** Clients can make up names, so there is only so much room. Other names mostly have other lengths. */
function slotOf(raw: FlatHeaders): number {
  let slot = 0;
  for (let i = 0; i < raw.length; i += 2) slot = (slot * 31 + (raw[i] as string).length) % REMEMBERED_LAYOUTS;
  return slot;
}

function hasNames(raw: FlatHeaders, names: readonly string[]): boolean {
  if (raw.length !== 2 * names.length) return false;
  for (let i = 0; i < names.length; i += 1) if (raw[2 * i] !== names[i]) return false;
  return true;
}

/** Where in the flat list the names are that are accepted. */
function placesOf(names: readonly string[], accepts: (name: string) => boolean): readonly number[] {
  return names.flatMap((name, i) => (accepts(name) ? [2 * i] : []));
}

function without(headers: FlatHeaders, connection: string): string[] {
  const named = new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
  return headers.filter((_, i) => !named.has((headers[i - (i % 2)] as string).toLowerCase()));
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
