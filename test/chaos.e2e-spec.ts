import { afterEach, expect, jest, test } from '@jest/globals';
import { chatRequest } from './support/chat-request.js';
import { metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RequestScript, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

jest.setTimeout(60_000);

const CONNECTIONS = 8;
const REQUESTS = 300;
const AT_ONCE = 40;
const EVENT_STREAM = head('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked');
const EVENT = chunk('data: {"choices":[]}\n\n');

let stage: RawStage;

afterEach(async () => {
  await stage.clear();
});

/** Everything an upstream may do to a request. */
const SCRIPTS: readonly RequestScript[] = [
  async (connection) => void (await connection.write(response('200 OK', [], 'good'))),
  async (connection) => void (await connection.write(EVENT_STREAM + EVENT.repeat(20) + chunk(''))),
  async (connection) => void (await connection.write(response('503 Busy', ['Connection: close'], 'busy'))),
  async (connection) => void (await connection.write(response('429 Slow', [], 'slow'))),
  async (connection) => void (await connection.write('no HTTP at all\r\n\r\n')),
  async (connection) => void (await connection.write(EVENT_STREAM)),
  async (connection) => void (await connection.write(EVENT_STREAM + EVENT)),
  async (connection) => void (await connection.write(response('200 OK', [], 'good') + 'stray bytes')),
  async (connection) => connection.writeForEver(head('103 Early Hints'), 5),
  async (connection) => {
    await connection.write(EVENT_STREAM);
    await connection.write(chunk('x'.repeat(20_000_000)) + chunk(''));
  },
  async (connection) => {
    await connection.write(EVENT_STREAM + EVENT + EVENT.slice(0, 9));
    connection.fin();
  },
  async (connection) => {
    await connection.write(`${head('200 OK', 'Content-Length: 9')}half`);
    connection.reset();
  },
  (connection) => connection.reset(),
  (connection) => connection.fin(),
  () => {},
];

/** Everything a client may do with its request. */
const CLIENTS: readonly ((client: RawClient, request: string) => Promise<void>)[] = [
  async (client, request) => {
    await client.send(request);
    await client.response();
  },
  async (client, request) => {
    await client.send(request);
    await pause();
    client.reset();
  },
  async (client, request) => {
    await client.send(request.slice(0, -20));
    await pause();
    client.close();
  },
  async (client, request) => {
    client.stopReading();
    await client.send(request);
    await pause();
    await pause();
  },
  async (client, request) => {
    await client.send(request.replace('HTTP/1.1', 'HTTP/1.0'));
    await client.response();
  },
];

test('ATT-28, ATT-29: whatever upstreams and clients do, no connection is lost and nobody is forgotten', async () => {
  stage = await RawStage.set({
    UPSTREAM_MAX_CONNECTIONS: String(CONNECTIONS),
    UPSTREAM_CONNECT_TIMEOUT_MS: '2000',
    UPSTREAM_HEADER_TIMEOUT_MS: '60',
    UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '60',
    UPSTREAM_PATIENT_TIMEOUT_MS: '120',
    UPSTREAM_IDLE_TIMEOUT_MS: '100',
    CLIENT_STALL_TIMEOUT_MS: '100',
  });
  const random = randomFrom(7);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  stage.upstream.answer('*', async (connection, request) => pick(SCRIPTS)(connection, request));

  let started = 0;
  const work = async () => {
    while (started < REQUESTS) {
      started += 1;
      const model = pick(['first', 'first,second,third', 'chutesai/AutoPilot']);
      const client = await RawClient.open(stage.router.port);
      await pick(CLIENTS)(client, chatRequest({ model, stream: random() < 0.7 }));
      client.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));

  await eventually(async () => (await metricsOf(stage.router)).value('requests_active') === 0);
  const { requestLogs } = stage.router;
  expect(new Set(requestLogs.map(({ req_id }) => req_id)).size).toBe(requestLogs.length);
  expect(stage.router.logs.filter(({ level }) => level === 'error')).toEqual([]);

  // As many as ever get a connection at the same time, as soon as the machine is quick enough for these timers.
  await eventually(async () => {
    const all = Promise.withResolvers<void>();
    let holding = 0;
    stage.upstream.answer('*', async (connection) => {
      holding += 1;
      if (holding === CONNECTIONS) all.resolve();
      await all.promise;
      await connection.write(response('200 OK', [], 'good'));
    });
    const models = Array.from({ length: CONNECTIONS }, () => 'first');
    const answers = await Promise.all(models.map(async (model) => stage.ask({ model, stream: true })));
    return answers.every(({ status }) => status === 200);
  }, 30_000);
});

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Numbers from 0 to 1, always the same for a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
