/**
 * The upstream of the benchmarks: answers chat completions as cheaply as Node can, with what the query asks for:
 * `?stream=N` streams N chunks of 160 bytes, one a millisecond; `?quiet` one chunk and then nothing; `?together=N` waits until N
 * such requests have come in full; otherwise it is 700 bytes of JSON at once. It also serves small feeds, so that the complete
 * router runs against it; `/feed?large` makes that of the utilization a large one from then on, `/feed?small` a small one again.
 */
import { createServer, type Socket } from 'node:net';
import { MessageReader } from '../message-reader.ts';

const [port = ''] = process.argv.slice(2);
const HEAD = 'HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 00:00:00 GMT\r\nconnection: keep-alive\r\n';
const STREAM_HEAD = `${HEAD}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n`;
const STREAM_CHUNK = `a0\r\ndata: ${'x'.repeat(152)}\n\n\r\n`;
const LAST_CHUNK = '0\r\n\r\n';
const CHAT = json({ id: 'bench', object: 'chat.completion', text: 'x'.repeat(640) });
const MODELS = ['bench/model', 'bench/other'];
const CATALOG = json({ object: 'list', data: MODELS.map((id) => ({ id, object: 'model' })) });
const ROWS = MODELS.map((name, index) => ({
  name,
  active_instance_count: 10 - index,
  utilization_current: 0.1,
}));
const SMALL = json(ROWS);
/** As large as Chutes' own, of which most rows are private chutes. Two versions, so that it changes at each fetch. */
const LARGE = [0, 1].map((version) =>
  json([...ROWS, ...Array.from({ length: 536 }, (_, n) => largeRow(n + version))]),
);
let fetches = 0;
let isLarge = false;
const together: Socket[] = [];

createServer({ noDelay: true }, (socket) => {
  const reader = new MessageReader({ onEnd: (head) => answer(socket, head.split(' ', 2)[1] ?? '') });
  socket.on('data', (bytes: Buffer) => reader.read(bytes)).on('error', () => {});
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));

function answer(socket: Socket, target: string): void {
  switch (target) {
    case '/v1/models':
      socket.write(CATALOG);
      break;
    case '/chutes/utilization':
      socket.write(isLarge ? (LARGE[fetches++ % 2] as Buffer) : SMALL);
      break;
    case '/feed?large':
    case '/feed?small':
      isLarge = target === '/feed?large';
      socket.write(CHAT);
      break;
    case '/v1/chat/completions?quiet':
      socket.write(STREAM_HEAD + STREAM_CHUNK);
      break;
    default: {
      const [, wish, count] = /\?(stream|together)=(\d+)$/.exec(target) ?? [];
      if (wish === 'stream') stream(socket, Number(count));
      else if (wish === 'together') answerTogether(socket, Number(count));
      else socket.write(CHAT);
    }
  }
}

function answerTogether(socket: Socket, count: number): void {
  together.push(socket);
  const waiting = together.filter(({ destroyed }) => !destroyed);
  if (waiting.length < count) return;
  together.length = 0;
  for (const one of waiting) one.write(CHAT);
}

function stream(socket: Socket, chunks: number): void {
  socket.write(STREAM_HEAD);
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    socket.write(sent < chunks ? STREAM_CHUNK : STREAM_CHUNK + LAST_CHUNK);
    if (sent === chunks || socket.destroyed) clearInterval(timer);
  }, 1);
}

/** An answer with its framing, as it is sent. */
function json(value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  const head = `${HEAD}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function largeRow(n: number): object {
  const row: Record<string, unknown> = {
    chute_id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    name: n % 6 === 0 ? `bench/large-${n}` : '[private chute]',
    timestamp: '2026-11-22T00:00:00.000000',
    active_instance_count: n % 9,
    utilization_current: (n % 97) / 97,
    scalable: true,
    scale_allowance: n % 5,
  };
  for (const figure of [
    'utilization',
    'rate_limit_ratio',
    'total_requests',
    'completed_requests',
    'rate_limited_requests',
  ])
    for (const span of ['5m', '15m', '1h']) row[`${figure}_${span}`] = ((n * 7 + span.length) % 101) / 101;
  for (const figure of [
    'avg_busy_ratio',
    'total_invocations',
    'effective_multiplier',
    'instance_count',
    'target_count',
  ])
    row[figure] = n / 3;
  return row;
}
