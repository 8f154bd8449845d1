import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { RawStage } from './support/raw-stage.js';
import { chunk, head } from './support/raw-upstream.js';
import { standStillAfter } from './support/stand-still.js';

const EVENT_STREAM = head('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked');
const JSON_HEAD = head('200 OK', 'Content-Type: application/json', 'Transfer-Encoding: chunked');

// Much goes through one process here.
jest.setTimeout(60_000);

let stage: RawStage;

afterEach(async () => stage.clear());

describe('an upstream that is silent', () => {
  test('ATT-32: longer than UPSTREAM_IDLE_TIMEOUT_MS ends the answer', async () => {
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '200' });
    stage.upstream.answer(
      'first',
      async (connection) => void (await connection.write(JSON_HEAD + chunk('{'))),
    );
    const answer = await stage.ask({ model: 'first' });
    expect([answer.isComplete, answer.body.toString()]).toEqual([false, '{']);
    await (
      await stage.upstream.connection(1)
    ).closed;
  });

  test('ATT-32: after the headers of an answer that is no 2xx ends it, too', async () => {
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '200' });
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('429 Too Many Requests', 'Content-Length: 9'));
    });
    const answer = await stage.ask({ model: 'first' });
    expect([answer.status, answer.isComplete, answer.body.length]).toEqual([429, false, 0]);
  });

  test('ATT-32: again and again, but never for so long, is listened to', async () => {
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '1000' });
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM);
      for (let n = 0; n < 6; n++) {
        await connection.write(chunk(`data: ${n}\n\n`));
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      await connection.write(chunk(''));
    });
    expect((await stage.ask({ model: 'first' })).isComplete).toBe(true);
  });

  test('ATT-32: is waited for without end when that is 0', async () => {
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '0' });
    const later = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM + chunk('data: 1\n\n'));
      await later.promise;
      await connection.write(chunk(''));
    });
    const client = await stage.open({ model: 'first' });
    await client.receives('data: 1');
    await stage.ask({ model: 'second' });
    later.resolve();
    expect((await client.response()).isComplete).toBe(true);
  });

  test('ATT-32: because the client does not read is not meant', async () => {
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '300' });
    const much = chunk('x'.repeat(500_000)).repeat(60);
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM);
      await connection.write(much);
      await connection.write(chunk(''));
    });
    const slow = await stage.open({ model: 'first' });
    slow.stopReading();
    await (await stage.upstream.connection(1)).stalled();

    // An upstream that falls silent later is cut meanwhile.
    stage.upstream.answer(
      'second',
      async (connection) => void (await connection.write(JSON_HEAD + chunk('{'))),
    );
    expect((await stage.ask({ model: 'second' })).isComplete).toBe(false);
    slow.readOn();
    const { isComplete, body } = await slow.response();
    expect([isComplete, body.length]).toEqual([true, 30_000_000]);
  });

  test('ATT-32: because the process stood still is not meant', async () => {
    stage = await RawStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '200' });
    const received = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM + chunk('data: 1\n\n'));
      await received.promise;
      await standStillAfter(() => connection.write(chunk('data: 2\n\n') + chunk('')), 400);
    });
    const client = await stage.open({ model: 'first' });
    await client.receives('data: 1');
    received.resolve();
    const { isComplete, body } = await client.response();
    expect([isComplete, body.toString()]).toEqual([true, 'data: 1\n\ndata: 2\n\n']);
  });
});
