/** A response as it stood on the wire, as far as it has come. */
export interface RawResponse {
  /** `1.0` or `1.1`. */
  readonly httpVersion: string;
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** What has come of the body, without its chunk framing. */
  readonly body: Buffer;
  /** How many chunks the body came in; 0 if it was not chunked. */
  readonly chunks: number;
  /**
   * Whether an honest client takes the response for complete: the promised length or the final chunk was seen,
   * or, where the end of the connection is the end of the body, it ended with a FIN.
   */
  readonly isComplete: boolean;
  /** How many bytes it took on the wire. */
  readonly length: number;
}

const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

/** Every value of a header. */
export function headersOf({ rawHeaders }: Pick<RawResponse, 'rawHeaders'>, name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase());
}

/** The values of a header, joined; undefined if it is not there. */
export function headerOf(response: Pick<RawResponse, 'rawHeaders'>, name: string): string | undefined {
  const values = headersOf(response, name);
  return values.length === 0 ? undefined : values.join(', ');
}

/**
 * Reads one response off the beginning of `bytes`.
 *
 * @param end how the connection has ended, if it has
 * @param toHead whether the request was a HEAD
 */
export function readResponse(bytes: Buffer, end: string | undefined, toHead: boolean): RawResponse {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) {
    return { ...NOTHING, length: bytes.length };
  }
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(statusLine.slice(9, 12));
  const start = headEnd + 4;
  if (status < 200) {
    const final = readResponse(bytes.subarray(start), end, toHead);
    return { ...final, length: start + final.length };
  }
  const rawHeaders = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const head = { httpVersion: statusLine.slice(5, 8), status, rawHeaders };
  const rest = bytes.subarray(start);

  if (toHead || NO_BODY.has(status)) {
    return { ...head, body: Buffer.alloc(0), chunks: 0, isComplete: true, length: start };
  }
  if (headerOf(head, 'transfer-encoding') === 'chunked') {
    const { body, chunks, isComplete, length } = readChunks(rest);
    return { ...head, body, chunks, isComplete, length: start + length };
  }
  const promised = headerOf(head, 'content-length');
  if (promised === undefined) {
    return { ...head, body: rest, chunks: 0, isComplete: end === 'fin', length: bytes.length };
  }
  const body = rest.subarray(0, Number(promised));
  const isComplete = body.length === Number(promised);
  return { ...head, body, chunks: 0, isComplete, length: start + body.length };
}

const NOTHING: RawResponse = {
  httpVersion: '',
  status: 0,
  rawHeaders: [],
  body: Buffer.alloc(0),
  chunks: 0,
  isComplete: false,
  length: 0,
};

function readChunks(bytes: Buffer): Pick<RawResponse, 'body' | 'chunks' | 'isComplete' | 'length'> {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) break;
    const start = lineEnd + 2;
    if (size === 0) {
      const trailerEnd = bytes.subarray(start, start + 2).toString() === '\r\n';
      return {
        body: Buffer.concat(pieces),
        chunks: pieces.length,
        isComplete: trailerEnd,
        length: start + (trailerEnd ? 2 : 0),
      };
    }
    pieces.push(bytes.subarray(start, start + size));
    at = start + size + 2;
    if (at > bytes.length) break;
  }
  return { body: Buffer.concat(pieces), chunks: pieces.length, isComplete: false, length: bytes.length };
}
