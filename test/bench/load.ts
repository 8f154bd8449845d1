/**
 * The load: so many connections, each with one request after the other, for so long. Prints one line of JSON.
 * With `rate`, requests are sent so many a second instead, however long the answers take; with `each`, every
 * connection sends so many requests at most.
 */
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { chatBody } from './chat-body.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    path: { type: 'string', default: '/v1/chat/completions' },
    connections: { type: 'string', default: '32' },
    ms: { type: 'string', default: '2000' },
    bytes: { type: 'string', default: '1024' },
    model: { type: 'string', default: 'first' },
    rate: { type: 'string', default: '0' },
    each: { type: 'string', default: 'Infinity' },
    header: { type: 'string', multiple: true, default: [] },
  },
});

const connections = Number(values.connections);
const body = chatBody(Number(values.bytes), values.model === 'last');
const pool = new Pool(values.url, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
const headers = {
  'content-type': 'application/json',
  authorization: 'Bearer bench-client',
  ...Object.fromEntries(values.header.map((line) => line.split(': ', 2) as [string, string])),
};

let requests = 0;
let chunks = 0;
let failures = 0;
const latencies: number[] = [];
const until = performance.now() + Number(values.ms);

function send(): Promise<void> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    pool.dispatch(
      { path: values.path, method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_, status) {
          if (status !== 200) failures += 1;
        },
        onResponseData() {
          chunks += 1;
        },
        onResponseEnd() {
          requests += 1;
          latencies.push(performance.now() - startedAt);
          resolve();
        },
        onResponseError() {
          failures += 1;
          resolve();
        },
      },
    );
  });
}

async function oneAfterTheOther(): Promise<void> {
  for (let n = 0; n < Number(values.each) && performance.now() < until; n += 1) await send();
}

async function atRate(perSecond: number): Promise<void> {
  const running: Promise<void>[] = [];
  let due = performance.now();
  while (performance.now() < until) {
    for (; due <= performance.now(); due += 1_000 / perSecond) running.push(send());
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  await Promise.all(running);
}

const startedAt = performance.now();
if (Number(values.rate) > 0) await atRate(Number(values.rate));
else await Promise.all(Array.from({ length: connections }, oneAfterTheOther));
const seconds = (performance.now() - startedAt) / 1_000;
latencies.sort((a, b) => a - b);
const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))] ?? NaN;
console.log(JSON.stringify({ requests, chunks, failures, seconds, p50: quantile(0.5), p99: quantile(0.99) }));
await pool.destroy();
