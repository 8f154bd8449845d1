import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { chatRequest } from './support/chat-request.js';
import { metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';
import { RawStage } from './support/raw-stage.js';
import { head, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set({ SHUTDOWN_DRAIN_MS: '0', SHUTDOWN_GRACE_MS: '0' });
});

afterEach(async () => {
  await stage.clear();
});

test('HLT-17, RTE-18: nothing more is tried for a request that the end has answered, though it waits for its turn', async () => {
  const firstIsStuck = Promise.withResolvers<void>();
  const firstIsCut = Promise.withResolvers<void>();
  stage.upstream.answer('first', async (connection) => {
    await connection.write(head('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked'));
    void connection.stalled().then(() => firstIsStuck.resolve());
    await connection.writeForEver(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
    firstIsCut.resolve();
  });
  stage.upstream.answer('second', async (connection) => {
    await firstIsCut.promise;
    connection.reset();
  });
  stage.upstream.answer('third', async (connection) => {
    await connection.write(response('200 OK', ['Content-Type: application/json'], '{"model":"third"}'));
  });
  const client = await stage.send(chatRequest({ model: 'first' }) + chatRequest({ model: 'second,third' }));
  client.stopReading();
  await firstIsStuck.promise;
  await stage.upstream.request(2);

  await stage.router.app.get(LifecycleService).stop();
  client.readOn();
  await client.ended;
  await eventually(() => stage.router.requestLogs.length === 2);
  expect(stage.router.requestLogs[1]).toMatchObject({ status: 503, attempts: 1, failovers: [] });
});

test('HLT-17: an answer that has come in full is not cut at once, so that its client may still take it', async () => {
  const farewellMs = 500;
  stage.upstream.answer('first', async (connection) => {
    await connection.write(response('200 OK', ['Content-Type: application/json'], 'x'.repeat(65_000)));
  });
  const client = await RawClient.open(stage.router.port);
  client.stopReading();
  // In all more than the system buffers of both sides hold, and never more than a connection may have.
  for (const answers of [32, 64, 96]) {
    await client.send(chatRequest({ model: 'first' }).repeat(32));
    await eventually(
      async () =>
        (await metricsOf(stage.router)).value('selection_total', { model: 'first', status: 200 }) === answers,
    );
  }

  const stoppedAt = performance.now();
  await stage.router.app.get(LifecycleService).stop();
  expect(performance.now() - stoppedAt).toBeGreaterThan(0.9 * farewellMs);
  client.close();
});
