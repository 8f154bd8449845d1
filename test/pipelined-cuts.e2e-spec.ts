import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chatRequest } from './support/chat-request.js';
import { JSON_TYPE } from './support/header-lines.js';
import { RawClient } from './support/raw-client.js';
import { RawStage } from './support/raw-stage.js';
import { head, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const FIRST = chatRequest({ model: 'first' });
const SECOND = chatRequest({ model: 'second' });
const MB = 1024 * 1024;

let stage: RawStage;
let letFirstGo: () => void;

beforeEach(async () => {
  stage = await RawStage.set({ CLIENT_STALL_TIMEOUT_MS: '150' });
  const { promise, resolve } = Promise.withResolvers<void>();
  letFirstGo = resolve;
  stage.upstream.answer('first', async (connection) => {
    await promise;
    await connection.write(response('200 OK', [JSON_TYPE], '{"model":"first"}'));
  });
});

afterEach(async () => {
  await stage.clear();
});

test('ATT-34, RTE-18: an answer that breaks before its turn in a pipeline is cut, too', async () => {
  const routerSawTheEnd = Promise.withResolvers<void>();
  stage.upstream.answer('second', async (connection) => {
    await connection.write(`${head('200 OK', JSON_TYPE, 'Content-Length: 100')}{"model":"sec`);
    connection.socket.end();
    await connection.closed;
    routerSawTheEnd.resolve();
  });
  const client = await stage.send(FIRST + SECOND + SECOND);
  await routerSawTheEnd.promise;
  letFirstGo();

  expect(await client.response()).toMatchObject({ status: 200, isComplete: true });
  expect(await client.response()).toMatchObject({ isComplete: false });
  await client.ended;
  await eventually(() => stage.router.requestLogs.length === 3);
  expect(stage.router.requestLogs[1]).toMatchObject({ ending: 'interrupted' });
});

test('ATT-33, RTE-18: an answer that waits for its turn in a pipeline is not one that its client does not read', async () => {
  const big = { large: response('200 OK', [JSON_TYPE], 'x'.repeat(MB)), huge: Buffer.alloc(16 * MB, 'x') };
  stage.upstream.answer('second', async (connection) => void (await connection.write(big.large)));
  stage.upstream.answer('third', async (connection) => {
    await connection.write(response('200 OK', [JSON_TYPE], big.huge));
  });
  const waiting = await stage.send(FIRST + SECOND);
  await stage.upstream.request(2);

  // Meanwhile a client that really does not read is cut.
  const stalled = await stage.open({ model: 'third' });
  stalled.stopReading();
  await eventually(() => stage.router.requestLogs.length === 1);
  expect(stage.router.requestLogs).toMatchObject([{ model: 'third', ending: 'interrupted' }]);

  letFirstGo();
  expect(await waiting.response()).toMatchObject({ isComplete: true });
  const { isComplete, body } = await waiting.response();
  expect([isComplete, body.length]).toEqual([true, MB]);
});

test('ATT-33, RTE-18: a client that takes none of many small answers is cut, and all of its requests end', async () => {
  const answers = 96;
  stage.upstream.answer('second', async (connection) => {
    await connection.write(response('200 OK', [JSON_TYPE], 'x'.repeat(65_000)));
  });
  const client = await RawClient.open(stage.router.port);
  client.stopReading();
  // In all more than the system buffers of both sides hold, and never more than a connection may have.
  for (let n = 32; n <= answers; n += 32) {
    await client.send(SECOND.repeat(32));
    await stage.upstream.request(n);
  }
  await eventually(() => stage.router.requestLogs.length === answers);
  expect(stage.router.requestLogs.map(({ ending }) => ending)).toContain('interrupted');
  // Answers that had not come by the cut found their client gone.
  const statuses = new Set(stage.router.requestLogs.map(({ status }) => status));
  expect([...statuses.difference(new Set([499]))]).toEqual([200]);
  client.close();
});
