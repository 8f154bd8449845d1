import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chutesWith } from './support/chutes-with.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

const LIMIT_MS = 300;

const idOf = (n: number) => `a/${n}-${'x'.repeat(200)}`;

let chutes: ChutesSimulator;
/** A router with the limit, and one without. Each has a model list that is more than the system buffers of both sides hold, which takes a while to load. */
let own: TestRouter;
let patient: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith(
    Array.from({ length: 1_600 }, (_, n) => ({ id: idOf(n), padding: 'x'.repeat(10_000) })),
    { utilization: [idOf(0)] },
  );
  own = await start(LIMIT_MS);
  patient = await start(0);
});

afterAll(async () => {
  await Promise.all([own.close(), patient.close()]);
  await chutes.close();
});

async function start(stallTimeoutMs: number): Promise<TestRouter> {
  return startRouter(chutes, {
    CLIENT_STALL_TIMEOUT_MS: String(stallTimeoutMs),
    LOG_LEVEL: 'debug',
    MODELS_REFRESH_MS: '3600000',
  });
}

/** How many answers were cut. */
function cuts({ logs }: TestRouter): number {
  return logs.filter(({ msg, ending }) => msg === 'request' && ending === 'interrupted').length;
}

async function connections({ app }: TestRouter): Promise<number> {
  return new Promise((resolve, reject) => {
    app.getHttpServer().getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** Asks for the list, and takes no more of the answer than the system does. */
async function stalled({ port }: TestRouter, request: string): Promise<RawClient> {
  const client = await RawClient.open(port);
  client.stopReading();
  await client.send(request);
  return client;
}

const ALIAS = '{"model":"chutesai/AutoPilot"}';
/** Its answer names all the models that cannot be chosen. */
const DRY_RUN = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Chutes-Autopilot-Dry-Run: true\r\nContent-Length: ${ALIAS.length}\r\n\r\n${ALIAS}`;
const LIST = 'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n';

describe('a client that takes no byte of an answer of the router’s own', () => {
  test.each([
    ['the model list', LIST],
    ['the model list, in HTTP/1.0', 'GET /v1/models HTTP/1.0\r\n\r\n'],
    ['a pipeline of it', LIST.repeat(60)],
    ['decisions that are not carried out', DRY_RUN.repeat(60)],
    ['metrics behind it', LIST + 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(800)],
    ['errors behind it', LIST + 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(30)],
    ['a broken request behind it', `${LIST}Nonsense\r\n\r\n`],
  ])('ATT-70: is cut: %s', async (_, request) => {
    const before = await connections(own);
    const cutBefore = cuts(own);
    const client = await stalled(own, request);
    await eventually(() => cuts(own) > cutBefore);
    await eventually(async () => (await connections(own)) <= before);
    client.readOn();
    expect((await client.response()).isComplete).toBe(false);
  });

  test('ATT-70: is not cut while it takes some, however slowly', async () => {
    const client = await stalled(own, LIST);
    const until = performance.now() + 5 * LIMIT_MS;
    // Each time as much as the system has room for, which is far from all.
    while (performance.now() < until) {
      client.readOn();
      const before = client.bytesReceived;
      await eventually(() => client.bytesReceived > before || client.bytesReceived > 16_000_000);
      client.stopReading();
      await new Promise((resolve) => setTimeout(resolve, LIMIT_MS / 6));
    }
    client.readOn();
    expect((await client.response()).isComplete).toBe(true);
  });

  test('ATT-70: is never cut with 0', async () => {
    const client = await stalled(patient, LIST);
    await new Promise((resolve) => setTimeout(resolve, 3 * LIMIT_MS));
    client.readOn();
    expect((await client.response()).isComplete).toBe(true);
  });
});

test('ATT-70: whoever has taken a whole answer may be silent for longer', async () => {
  const client = await RawClient.open(own.port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await client.response()).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 3 * LIMIT_MS));
  await client.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await client.response()).status).toBe(200);
  client.close();
});
