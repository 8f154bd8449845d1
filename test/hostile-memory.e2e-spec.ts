import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { completionOf, MODEL, OTHER_MODEL, POST, requestOf } from './support/edge.js';
import { Metrics } from './support/metrics.js';
import { killProcesses, type RouterProcess, startProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { environmentFor, eventually } from './support/router.js';

/** An eighth of what the chart gives it. */
const HEAP_MB = 128;
/** Of all memory, with what it takes outside the heap. */
const MOST_MB = 400;

let chutes: ChutesSimulator;
let router: RouterProcess;
let url: string;

beforeAll(async () => {
  chutes = await ChutesSimulator.start();
  // Beside the many of a real catalog.
  chutes.models = [...chutes.models, MODEL, OTHER_MODEL];
  chutes.utilization = [MODEL, OTHER_MODEL];
  chutes.behave(MODEL, 'silent');
  router = await startProcess(environmentFor(chutes.url), [`--max-old-space-size=${HEAP_MB}`]);
  url = await router.url;
  await eventually(async () => (await fetch(`${url}/readyz`)).ok);
}, 120_000);

afterAll(async () => {
  await killProcesses();
  await chutes.close();
});

const repeated = (bytes: string | Buffer, times: number) =>
  Buffer.concat(Array<Buffer>(times).fill(Buffer.from(bytes)));
const get = (path: string) => requestOf(`GET ${path} HTTP/1.1`, ['Host: x']);

/** Opens so many connections, each of which sends these bytes and reads nothing. */
async function flood(connections: number, bytes: Buffer): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  const worker = async () => {
    while (clients.length < connections) {
      const client = await RawClient.open(Number(new URL(url).port));
      clients.push(client);
      client.stopReading();
      // What does not fit is of no interest.
      void client.send(bytes);
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  return clients;
}

/** In MB; 0 where the system does not tell. */
async function peakMemory(): Promise<number> {
  const status = await readFile(`/proc/${router.child.pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
}

async function metrics(): Promise<Metrics> {
  return new Metrics(await (await fetch(`${url}/metrics`)).text());
}

const CHUNKED_HEAD = requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked']);

describe('a router with little memory outlives', () => {
  test.each<[clause: string, what: string, connections: number, bytes: Buffer]>([
    [
      'RTE-28',
      '1,900 requests for the model list on each of 30 connections',
      30,
      repeated(get('/v1/models'), 1_900),
    ],
    ['RTE-28', 'as many for one model', 30, repeated(get(`/v1/models/${OTHER_MODEL}`), 1_500)],
    ['RTE-25', 'as many for metrics', 30, repeated(get('/metrics'), 1_900)],
    ['RTE-25', 'as many for nothing', 30, repeated(get('/nowhere'), 1_900)],
    ['ERR-35', 'as many after one that closes', 60, repeated('GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 2_000)],
    ['RTE-25', 'as many for completions', 15, repeated(completionOf(), 500)],
    [
      'RTE-26',
      '63 requests behind one that takes long on each of 500 connections',
      500,
      Buffer.concat([completionOf(), repeated(get('/v1/models'), 63)]),
    ],
    [
      'CFG-35',
      'bodies in 1,000 pieces of a byte on 500 connections',
      500,
      Buffer.concat([CHUNKED_HEAD, repeated('1\r\na\r\n', 1_000)]),
    ],
    [
      'CFG-35',
      'bodies in 1,000 pieces of a byte that nobody reads on 200 connections',
      200,
      Buffer.concat([
        requestOf('POST /nowhere HTTP/1.1', ['Host: x', 'Transfer-Encoding: chunked']),
        repeated('1\r\na\r\n', 1_000),
      ]),
    ],
  ])(
    '%s: %s',
    async (_clause, _, connections, bytes) => {
      const clients = await flood(connections, bytes);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect(await peakMemory()).toBeLessThan(MOST_MB);

      for (const client of clients) client.reset();
      await eventually(async () => (await metrics()).value('requests_active') === 0);
      const body = JSON.stringify({ model: OTHER_MODEL });
      expect((await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).status).toBe(200);
      expect(router.stderr).toBe('');
    },
    60_000,
  );
});
