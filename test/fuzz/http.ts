import type { Random } from '../support/random.ts';
import { mutated } from './bytes.ts';
import { BODIES, JSON_TOKENS } from './json.ts';

/** A request before it becomes bytes. */
interface Draft {
  method: string;
  target: string;
  version: string;
  headers: [name: string, value: string][];
  /** As it goes over the wire, with its framing. */
  body: Buffer;
}

const CHAT = '/v1/chat/completions';
const NONCE = 'ab'.repeat(32);

// No HEAD: whoever reads its answer has to know that it was one.
const METHODS = [
  'GET',
  'POST',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PATCH',
  'QUERY',
  'TRACE',
  'PRI',
  'post',
  'G E T',
  'M-SEARCH',
  '',
];
const TARGETS = [
  CHAT,
  '/v1/completions',
  '/v1/models',
  '/v1/models/a%2Fb',
  '/v1/models/%zz',
  '/v1/models/%00',
  '/v1/models/../../etc/passwd',
  `/chutes/CHUTE/evidence?nonce=${NONCE}`,
  `/chutes/CHUTE/evidence?nonce=${NONCE}&nonce=1`,
  '/chutes/%2e%2e/evidence?nonce=1',
  '/healthz',
  '/readyz?x=1',
  '/metrics',
  '/',
  '*',
  '//v1//models',
  `${CHAT}?a=b&c=%`,
  `${CHAT}#x`,
  `${CHAT}/`,
  `http://elsewhere.test${CHAT}`,
  'https://elsewhere.test',
  'elsewhere.test:443',
  `/v1/${'x'.repeat(9_000)}`,
  '/v1/embeddings',
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/1.2',
  'HTTP/2.0',
  'RTSP/1.0',
  'RTSP/1.1',
  'http/1.1',
  'HTTP/1',
  '',
];
const HEADERS: readonly (readonly [string, string])[] = [
  ['Host', 'other.test'],
  ['Host', 'a b'],
  ['Host', ''],
  ['Content-Length', '0'],
  ['Content-Length', '5'],
  ['Content-Length', '-1'],
  ['Content-Length', '5, 5'],
  ['Content-Length', '0x10'],
  ['Content-Length', '1e3'],
  ['Content-Length', ' 10 '],
  ['Content-Length', '99999999999999999999'],
  ['Content-Length', '999999999'],
  ['Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'Chunked'],
  ['Transfer-Encoding', 'gzip, chunked'],
  ['Transfer-Encoding', 'chunked, chunked'],
  ['Transfer-Encoding', 'identity'],
  ['Transfer-Encoding', '\x0bchunked'],
  ['Transfer_Encoding', 'chunked'],
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'identity'],
  ['Content-Type', 'multipart/form-data; boundary=x'],
  ['Expect', '100-continue'],
  ['Expect', '200-ok'],
  ['Connection', 'close'],
  ['Connection', 'keep-alive, x-hop'],
  ['Connection', 'upgrade, host, content-length'],
  ['Keep-Alive', 'timeout=5'],
  ['Upgrade', 'h2c'],
  ['Upgrade', 'websocket'],
  ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
  ['TE', 'trailers'],
  ['Trailer', 'X-Late'],
  ['X-Hop', '1'],
  ['X-Request-Id', 'mine'],
  ['X-Request-Id', 'x'.repeat(200)],
  ['X-Forwarded-For', '10.0.0.1'],
  ['X_Forwarded_For', '10.0.0.1'],
  ['Forwarded', 'for=10.0.0.1'],
  ['Via', '1.1 somewhere'],
  ['Cookie', 'a=b'],
  ['Proxy-Authorization', 'Basic eDp5'],
  ['X-Chutes-Autopilot-Selected', 'mine'],
  ['Authorization', 'Bearer fuzz'],
  ['Authorization', 'Bearer \xff\xfe'],
  ['Origin', 'https://elsewhere.test'],
  ['Traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['X-Big', 'x'.repeat(15_000)],
  ['X-Bigger', 'x'.repeat(20_000)],
  ['', 'no name'],
  ['Bad Name', 'x'],
  ['X-Bad', 'a\0b'],
  ['X-Fold', 'a\r\n b'],
  ['X-Line', 'a\nInjected: b'],
  ['X-Colon ', 'x'],
];
const HTTP_TOKENS: readonly string[] = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ': ',
  '0\r\n\r\n',
  'ffffffffffffffff\r\n',
  '5;x="y"\r\n',
  '-1\r\n',
  ' HTTP/1.1\r\n',
  'Host: x\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01',
  '%00',
  '\xff',
];

/** What is sent over one connection. */
export interface Script {
  readonly bytes: Buffer;
  /** Whether it is one request that two readers could take for different ones, so that it has to be refused. */
  readonly isAmbiguous: boolean;
}

/** One request or several, most of them broken in some way. */
export function scriptOf(random: Random, models: readonly string[], chutes: readonly string[]): Script {
  const drafts = Array.from({ length: lengthOf(random) }, () => {
    const draft = draftOf(random, models, chutes);
    for (let n = random.pick([0, 0, 1, 1, 2, 3]); n > 0; n -= 1) distort(random, draft);
    return draft;
  });
  const requests = drafts.map(serialized);
  const bytes = Buffer.concat(requests);
  if (random.chance(0.25)) {
    return { bytes: mutated(random, bytes, HTTP_TOKENS, requests), isAmbiguous: false };
  }
  return { bytes, isAmbiguous: drafts.length === 1 && drafts.every(isAmbiguous) };
}

/** Mostly a request alone, or a few; now and then more than the router takes of one connection. */
function lengthOf(random: Random): number {
  if (random.chance(0.7)) return 1;
  return random.chance(0.9) ? random.between(2, 4) : random.between(20, 100);
}

/** Whether the contract wants a request refused for its framing, its `Host` or its version. */
function isAmbiguous({ version, headers }: Draft): boolean {
  const valuesOf = (name: string) =>
    headers.flatMap(([other, value]) => (other.toLowerCase() === name ? [value] : []));
  const codings = valuesOf('transfer-encoding');
  const isFramedTwice = codings.length > 0 && valuesOf('content-length').length > 0;
  const isCodedOddly = codings.length > 0 && codings.join().toLowerCase() !== 'chunked';
  return (
    isFramedTwice ||
    isCodedOddly ||
    new Set(valuesOf('content-length')).size > 1 ||
    valuesOf('host').length > 1 ||
    (version === 'HTTP/1.1' && valuesOf('host').length === 0) ||
    (version === 'HTTP/1.0' && codings.length > 0) ||
    // Another protocol is told only where the headers come in one piece.
    (version !== 'HTTP/1.1' && version !== 'HTTP/1.0' && !version.startsWith('RTSP'))
  );
}

/** A sound request. */
function draftOf(random: Random, models: readonly string[], chutes: readonly string[]): Draft {
  const isPost = random.chance(0.75);
  const target = isPost ? random.pick([CHAT, '/v1/completions']) : random.pick(TARGETS);
  const body = isPost ? bodyOf(random, models) : Buffer.alloc(0);
  const framed = isPost && random.chance(0.3);
  return {
    method: isPost ? 'POST' : 'GET',
    target: target.replace('CHUTE', encodeURIComponent(random.pick(chutes))),
    version: 'HTTP/1.1',
    headers: [
      ['Host', 'router.test'],
      ...(framed ? [['Transfer-Encoding', 'chunked'] as [string, string]] : []),
      ...(isPost && !framed ? [['Content-Length', String(body.length)] as [string, string]] : []),
    ],
    body: framed ? chunked(random, body) : body,
  };
}

function bodyOf(random: Random, models: readonly string[]): Buffer {
  const model = random.pick([
    random.pick(models),
    `${random.pick(models)},${random.pick(models)}`,
    'chutesai/AutoPilot',
  ]);
  const sound = Buffer.from(JSON.stringify({ model, stream: random.chance(0.5), messages: [] }));
  const kind = random.next();
  if (kind < 0.5) return sound;
  return kind < 0.8 ? mutated(random, sound, JSON_TOKENS, BODIES) : random.pick(BODIES);
}

function chunked(random: Random, body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  const longest = random.chance(0.2) ? 1 : 40;
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + random.between(1, longest));
    const size = random.pick([
      piece.length.toString(16),
      piece.length.toString(16).toUpperCase(),
      `0${piece.length.toString(16)}`,
    ]);
    const extension = random.chance(0.1) ? ';name="value"' : '';
    pieces.push(Buffer.from(`${size}${extension}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  const trailers = random.chance(0.1) ? 'X-Late: 1\r\n' : '';
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${trailers}\r\n`)]);
}

function distort(random: Random, draft: Draft): void {
  const { headers } = draft;
  switch (random.below(8)) {
    case 0:
      draft.method = random.pick(METHODS);
      break;
    case 1:
      draft.target = random.pick(TARGETS);
      break;
    case 2:
      draft.version = random.pick(VERSIONS);
      break;
    case 3:
      headers.splice(random.below(headers.length + 1), 1);
      break;
    case 4:
      headers.push(random.pick(headers.length > 0 ? headers : [['Host', 'x'] as [string, string]]));
      break;
    case 5:
      draft.body = draft.body.subarray(0, random.below(draft.body.length + 1));
      break;
    default:
      headers.splice(random.below(headers.length + 1), 0, [...random.pick(HEADERS)]);
  }
}

function serialized({ method, target, version, headers, body }: Draft): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${target} ${version}\r\n${lines.join('')}\r\n`, 'latin1'),
    body,
  ]);
}
