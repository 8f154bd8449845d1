/** What has to be undone to a body: nothing, gzip, or what nobody asked for. */
export type ContentCoding = 'identity' | 'gzip' | 'unknown';

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** Reads `Content-Encoding`. Its names are of any case, `x-gzip` is `gzip` (RFC 9110, 8.4.1), and `identity` is none at all. */
export function contentCoding(header: string | readonly string[] | undefined): ContentCoding {
  const names = [header ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length === 0) return 'identity';
  return names.length === 1 && /^(?:x-)?gzip$/.test(names[0] ?? '') ? 'gzip' : 'unknown';
}

/** RFC 8259 forbids to send one before JSON, and lets a reader skip it. */
export function withoutByteOrderMark(body: Buffer): Buffer {
  const { length } = BYTE_ORDER_MARK;
  return body.subarray(0, length).equals(BYTE_ORDER_MARK) ? body.subarray(length) : body;
}
