/**
 * The upstream of the benchmarks: answers chat completions as cheaply as Node can, with what the query asks for:
 * `?stream=N` streams N chunks of 160 bytes, one a millisecond; `?quiet` one chunk and then nothing; otherwise
 * 700 bytes of JSON. It also serves small feeds, so that the complete router runs against it; `/feed?large` makes that of the
 * utilization a large one from then on, `/feed` a small one again.
 */
import { createServer } from 'node:http';

const [port = ''] = process.argv.slice(2);
const ANSWER = Buffer.from(JSON.stringify({ id: 'bench', object: 'chat.completion', text: 'x'.repeat(640) }));
const CHUNK = Buffer.from(`data: ${'x'.repeat(152)}\n\n`);
const MODELS = {
  object: 'list',
  data: ['bench/model', 'bench/other'].map((id) => ({ id, object: 'model' })),
};
const UTILIZATION = MODELS.data.map(({ id }, index) => ({
  name: id,
  active_instance_count: 10 - index,
  utilization_current: 0.1,
}));

/** As large as Chutes' own, of which most rows are private chutes. Two versions, so that it changes at each fetch. */
const LARGE = [0, 1].map((version) =>
  Buffer.from(
    JSON.stringify([...UTILIZATION, ...Array.from({ length: 536 }, (_, n) => largeRow(n + version))]),
  ),
);
let fetches = 0;
let isLarge = false;

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

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://upstream');
  if (url.pathname === '/v1/models') return void response.end(JSON.stringify(MODELS));
  if (url.pathname === '/chutes/utilization') {
    return void response.end(isLarge ? LARGE[fetches++ % 2] : JSON.stringify(UTILIZATION));
  }
  if (url.pathname === '/feed') {
    isLarge = url.searchParams.has('large');
    return void response.end();
  }
  request.resume().on('end', () => {
    if (url.searchParams.has('quiet')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(CHUNK);
      return;
    }
    const count = Number(url.searchParams.get('stream') ?? 0);
    if (count === 0) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
      response.end(ANSWER);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const timer = setInterval(() => {
      response.write(CHUNK);
      sent += 1;
      if (sent < count) return;
      clearInterval(timer);
      response.end();
    }, 1);
    response.on('close', () => clearInterval(timer));
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
