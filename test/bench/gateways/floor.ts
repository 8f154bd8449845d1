/**
 * The floor: what any gateway on Node has to do, and nothing else. It collects the body, finds `"model":"` with
 * `indexOf`, splices with one `concat`, sends with undici's `dispatch`, writes the answer's chunks to the
 * response. No validation, no routing, no logging, no failure handling. (To pass the answer's length on, and so answer without
 * chunks, makes it no cheaper.)
 */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port = '', upstream = ''] = process.argv.slice(2);
const pool = new Pool(upstream, { allowH2: false, connections: 256 });
const KEY = Buffer.from('"model":"');
const MODEL = Buffer.from('bench/model');

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const start = body.indexOf(KEY) + KEY.length;
    const end = body.indexOf(0x22, start);
    const spliced = Buffer.concat([body.subarray(0, start), MODEL, body.subarray(end)]);
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: request.headers.authorization },
        body: spliced,
      },
      {
        onRequestStart() {},
        onResponseStart(_, status, headers) {
          response.writeHead(status, { 'content-type': String(headers['content-type']) });
        },
        onResponseData(_, chunk) {
          response.write(chunk);
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
