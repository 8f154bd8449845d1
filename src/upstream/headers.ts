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
