import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chutesWith } from './support/chutes-with.js';
import { bodyOf, completionOf, MODEL, OTHER_MODEL, POST, requestOf } from './support/edge.js';
import { Metrics } from './support/metrics.js';
import { killProcesses, type RouterProcess, startProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { environmentFor, eventually } from './support/router.js';

const CANARY = 'canary-4f1b9c';
const HEADERS = [`Authorization: Bearer ${CANARY}`, `X-Session-Id: ${CANARY}`, `X-${CANARY}: x`];
const SECRET_BODY = `{"model":"${MODEL}","stream":true,"user":"${CANARY}"}`;
const STREAM = completionOf(SECRET_BODY, HEADERS);
const GARBAGE = Buffer.from(`${CANARY}\r\n\r\n`);

let chutes: ChutesSimulator;
let router: RouterProcess;
let port: number;

beforeAll(async () => {
  chutes = await chutesWith([MODEL, OTHER_MODEL], { pace: { tokenMs: 2, tokens: 20 } });
  router = await startProcess({
    ...environmentFor(chutes.url),
    LOG_LEVEL: 'trace',
    REQUEST_HEADERS_TIMEOUT_MS: '2000',
    MAX_INFLIGHT_BODY_BYTES: '50000',
  });
  const url = await router.url;
  port = Number(new URL(url).port);
  await eventually(async () => (await fetch(`${url}/readyz`)).ok);
}, 120_000);

afterAll(async () => {
  await killProcesses();
  await chutes.close();
});

/** Waits until nothing runs any more. @returns the status of a further request, and all that was written to stderr */
async function aftermath(): Promise<{ status: number; stderr: string }> {
  const url = await router.url;
  await eventually(async () => {
    const metrics = new Metrics(await (await fetch(`${url}/metrics`)).text());
    return metrics.value('requests_active') === 0;
  });
  await eventually(() => chutes.generations.every(({ ending }) => ending !== 'open'));
  const client = await RawClient.open(port, completionOf());
  const { status } = await client.response();
  client.close();
  return { status, stderr: router.stderr };
}

const CALM = { status: 200, stderr: '' };

/** Does this to `count` connections, some at a time. */
async function forEachOf(count: number, act: (n: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n).values();
  const worker = async () => {
    for (const n of numbers) await act(n);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

describe('clients that reset their connection', () => {
  test('OBS-3, ATT-28: after any byte of their request leave nothing behind and no complaint', async () => {
    await forEachOf(STREAM.length + 1, async (n) => {
      const client = await RawClient.open(port, STREAM.subarray(0, n));
      client.reset();
    });
    expect(await aftermath()).toEqual(CALM);
  }, 30_000);

  test('OBS-3, ATT-28: in the midst of any event of their answer leave nothing behind and no complaint', async () => {
    await forEachOf(60, async (n) => {
      const client = await RawClient.open(port, n % 2 === 0 ? STREAM : Buffer.concat([STREAM, STREAM]));
      await eventually(() => client.bytesReceived > n * 50);
      client.reset();
    });
    expect(await aftermath()).toEqual(CALM);
  }, 30_000);

  test.each<[string, Buffer]>([
    ['while it waits', completionOf(`{"model":"${OTHER_MODEL}"}`)],
    ['while several wait', Buffer.concat(Array(5).fill(completionOf(`{"model":"${OTHER_MODEL}"}`)))],
    ['behind garbage', Buffer.concat([completionOf(`{"model":"${OTHER_MODEL}"}`), GARBAGE])],
    ['with garbage alone', GARBAGE],
    ['with two hosts', requestOf(POST, ['Host: x', 'Host: y', 'Content-Length: 100'], 'x')],
    ['with a body that is too large', requestOf(POST, ['Host: x', 'Content-Length: 99999999'], 'x')],
    ['with a body beyond the budget', completionOf(bodyOf(60_000))],
    ['with a chunk that breaks', requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked'], '1\r\nxx\r\n')],
    ['for a path that is not served', requestOf('POST /nowhere HTTP/1.1', ['Host: x', 'Content-Length: 9'])],
    ['with an Upgrade', completionOf(SECRET_BODY, ['Connection: Upgrade', 'Upgrade: h2c'])],
    ['with a CONNECT', requestOf('CONNECT x:1 HTTP/1.1', ['Host: x'])],
  ])(
    'OBS-3, ATT-28: %s leave nothing behind and no complaint',
    async (_, bytes) => {
      chutes.behave(OTHER_MODEL, { kind: 'slow-headers', ms: 50 });
      await forEachOf(40, async (n) => {
        const client = await RawClient.open(port, bytes);
        // At once, or at some moment of what the router does about it.
        for (let turns = 0; turns < n; turns += 1) await new Promise((resolve) => setImmediate(resolve));
        client.reset();
      });
      expect(await aftermath()).toEqual(CALM);
    },
    30_000,
  );
});

test('ERR-29, ERR-2: nothing of a request that is refused shows in its answer', async () => {
  const head = [POST, 'Host: x', ...HEADERS].join('\r\n');
  const broken = [
    GARBAGE,
    `${head}\r\nX A: ${CANARY}\r\n\r\n`,
    `${head}\r\nX-A: ${CANARY}\0\r\n\r\n`,
    `${head}\r\n ${CANARY}\r\n\r\n`,
    `${head}\r\nHost: ${CANARY}\r\n\r\n`,
    `${head}\r\nContent-Length: ${CANARY}\r\n\r\n`,
    `${head}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CANARY}`,
    `${head}\r\nTransfer-Encoding: ${CANARY}\r\n\r\n`,
    `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${CANARY}`,
    `${head}\r\nTransfer-Encoding: chunked\r\n\r\n1;${CANARY.repeat(2_000)}`,
    `${head}\r\nExpect: ${CANARY}\r\n\r\n`,
    `${head}\r\nContent-Encoding: ${CANARY}\r\nContent-Length: 5\r\n\r\n`,
    `${head}\r\nX-Long: ${CANARY.repeat(2_000)}`,
    `${head}\r\n`,
    `${head}\r\nContent-Length: 99999999\r\n\r\n${CANARY}`,
    completionOf(`{"model":"${MODEL}","user":"${CANARY.repeat(5_000)}"}`, HEADERS),
    `${POST.replace('1.1', CANARY)}\r\nHost: x\r\n\r\n`,
    `${CANARY} / HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET ${CANARY} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /%zz${CANARY} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /${CANARY} HTTP/1.1\r\nHost: ${CANARY}@x\r\n\r\n`,
    `GET /${CANARY} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET http://${CANARY}/${CANARY} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ];
  for (const bytes of broken) {
    const client = await RawClient.open(port, bytes);
    const response = await client.response();
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.body.toString()).not.toContain(CANARY);
    client.close();
  }
  // Without an answer:
  for (const bytes of [
    `CONNECT ${CANARY} HTTP/1.1\r\n\r\n`,
    `CONNECT x:1 HTTP/1.1\r\nHost: ${CANARY}\r\n\r\n`,
  ]) {
    await (
      await RawClient.open(port, bytes)
    ).ended;
  }
  expect(await aftermath()).toEqual(CALM);
}, 30_000);

test('ERR-29, OBS-21: of all that, the router has written nothing but its lines, and it ends in order', async () => {
  router.kill('SIGTERM');
  expect(await router.ended).toEqual([0, null]);
  expect(router.stderr).toBe('');
  expect(router.stdout).toContain('"status":503');
  expect(router.stdout).not.toContain(CANARY);
  const quiet = new Set(['trace', 'debug', 'info']);
  const loud = router.logs.filter(({ level }) => !quiet.has(String(level)));
  // One of the clients sends more than there is room for, which is told.
  expect(loud.map(({ msg, reason }) => [msg, reason])).toEqual([['shedding requests', 'body']]);
});
