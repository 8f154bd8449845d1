/**
 * The upstream of the benchmarks: answers chat completions as cheaply as Node can, with what the query asks for:
 * `?stream=N` streams N chunks of 160 bytes, `&every=MS` one every so many milliseconds; otherwise 700 bytes of JSON.
 * It also serves small feeds, so that the complete router runs against it.
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

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://upstream');
  if (url.pathname === '/v1/models') return void response.end(JSON.stringify(MODELS));
  if (url.pathname === '/chutes/utilization') return void response.end(JSON.stringify(UTILIZATION));
  request.resume().on('end', () => {
    const count = Number(url.searchParams.get('stream') ?? 0);
    if (count === 0) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
      response.end(ANSWER);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const timer = setInterval(
      () => {
        response.write(CHUNK);
        sent += 1;
        if (sent < count) return;
        clearInterval(timer);
        response.end();
      },
      Number(url.searchParams.get('every') ?? 1),
    );
    response.on('close', () => clearInterval(timer));
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
