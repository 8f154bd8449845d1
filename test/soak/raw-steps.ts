import type { Exchange } from '../../src/simulator/exchange.ts';
import { cut, none, type Promised, type Show, type Step, whole } from './step.ts';

const INVALID = none('upstream_invalid_response');
const LATE = none('upstream_header_timeout');
/** Long enough for the other side to have read what was sent. */
const SETTLE_MS = 20;
const DRIP_MS = 25;
const ENDLESS_503 = 'busy '.repeat(20_000);
/** Sent behind an answer, unasked: whoever gets it has got what was meant for nobody. */
const SURPLUS = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';

/** What an upstream can do below HTTP. Each of these ends its connection. */
export const RAW_STEPS: readonly Step[] = [
  closing('status 099', INVALID, () => 'HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  closing('status 600', INVALID, () => 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  closing('not HTTP', INVALID, () => 'SSH-2.0-OpenSSH_9.2\r\n'),
  closing('20 KB of headers', INVALID, (show) => {
    const filler = Array.from({ length: 20 }, (_, n) => `X-Filler-${n}: ${'x'.repeat(1_000)}\r\n`);
    return head(show, `${filler.join('')}Content-Length: 2`) + '{}';
  }),
  closing('a length and chunks', INVALID, (show) => head(show, 'Content-Length: 2', CHUNKED) + chunk('{}')),
  closing('a bad chunk', cutShow, (show) => `${head(show, CHUNKED)}${chunk(half(show))}zz\r\n`),
  closing('no final chunk', cutShow, (show) => head(show, CHUNKED) + chunk(show.whole)),
  closing('a short body', cutShow, (show) => head(show, lengthOf(show)) + half(show)),
  {
    name: 'surplus bytes',
    promise: wholeShow,
    run: async (exchange, show) => {
      await exchange.raw(head(show, lengthOf(show)) + show.whole + SURPLUS);
      exchange.close();
    },
  },
  {
    ...closing('to the end of the connection', wholeShow, (show) => head(show) + show.whole),
    isOpenEnded: true,
  },
  {
    name: 'reset instead of the end of the connection',
    isOpenEnded: true,
    promise: cutShow,
    run: async (exchange, show) => {
      await exchange.raw(head(show) + half(show));
      await exchange.sleep(SETTLE_MS);
      exchange.reset();
    },
  },
  {
    name: 'one byte after the other',
    promise: wholeShow,
    run: async (exchange, show) => {
      const start = head(show, lengthOf(show), 'Connection: close');
      const bytes = Buffer.from(start + show.whole);
      const slow = start.length + 20;
      for (let at = 0; at < slow; at += 1) {
        await exchange.raw(bytes.subarray(at, at + 1));
        if (at % 16 === 0) await exchange.sleep(1);
      }
      await exchange.raw(bytes.subarray(slow));
      await exchange.sleep(SETTLE_MS);
      exchange.close();
    },
  },
  { name: 'dripping headers', promise: () => LATE, run: (exchange) => drip(exchange, 'X-Drip: x\r\n') },
  {
    name: '103 for ever',
    promise: () => LATE,
    run: (exchange) => drip(exchange, '103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 '),
  },
  {
    name: 'an endless 503',
    promise: () => cut(ENDLESS_503, ['upstream_idle_timeout', 'upstream_stream_interrupted'], 503),
    run: async (exchange) => {
      await exchange.raw(`HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n${CHUNKED}\r\n\r\n`);
      for (let n = 0; n < 100; n += 1) {
        await exchange.raw(chunk('busy '.repeat(200)));
        await exchange.sleep(DRIP_MS);
      }
      exchange.reset();
    },
  },
];

const CHUNKED = 'Transfer-Encoding: chunked';

function wholeShow(show: Show): Promised {
  return whole(200, show.whole);
}

function cutShow(show: Show): Promised {
  return cut(show.whole);
}

/** A step that writes these bytes in one go and closes. */
function closing(
  name: string,
  promised: Promised | ((show: Show) => Promised),
  bytes: (show: Show) => string,
): Step {
  return {
    name,
    promise: typeof promised === 'function' ? promised : () => promised,
    run: async (exchange, show) => {
      await exchange.raw(bytes(show));
      await exchange.sleep(SETTLE_MS);
      exchange.close();
    },
  };
}

async function drip(exchange: Exchange, piece: string): Promise<void> {
  await exchange.raw('HTTP/1.1 ');
  if (!piece.startsWith('1')) await exchange.raw('200 OK\r\n');
  for (;;) {
    await exchange.raw(piece);
    await exchange.sleep(DRIP_MS);
  }
}

function head({ performance: { isStream } }: Show, ...headers: readonly string[]): string {
  const type = isStream ? 'text/event-stream; charset=utf-8' : 'application/json';
  return ['HTTP/1.1 200 OK', `Content-Type: ${type}`, ...headers, '', ''].join('\r\n');
}

function lengthOf(show: Show): string {
  return `Content-Length: ${Buffer.byteLength(show.whole)}`;
}

function half({ whole: body }: Show): string {
  return body.slice(0, body.length / 2);
}

function chunk(bytes: string): string {
  return `${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n`;
}
