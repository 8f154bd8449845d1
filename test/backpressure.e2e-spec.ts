import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const EVENT_STREAM = head('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked');
const JSON_HEAD = head('200 OK', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
const PIECE_BYTES = 500_000;
const PIECE = chunk('x'.repeat(PIECE_BYTES));
/** What the buffers of the system and of the router may hold between upstream and client, amply reckoned. */
const MOST_BUFFERED = 40_000_000;
const MUCH = 60_000_000;

// Much goes through one process here.
jest.setTimeout(60_000);

let stage: RawStage;

afterEach(async () => stage.clear());

/** Every model answers with `MUCH` bytes. */
function answerMuch(start = EVENT_STREAM): void {
  stage.upstream.answer('*', async (connection) => {
    await connection.write(start);
    for (let n = 0; n < MUCH / PIECE_BYTES; n++) await connection.write(PIECE);
    await connection.write(chunk(''));
  });
}

/** `first` answers without an end. */
function answerForEver(): void {
  stage.upstream.answer('first', async (connection) => {
    await connection.write(EVENT_STREAM);
    await connection.writeForEver(PIECE);
  });
}

/** Whether an answer is complete, and its length. */
function extentOf({ isComplete, body }: RawResponse): [boolean, number] {
  return [isComplete, body.length];
}

test.each([
  ['an event stream', EVENT_STREAM],
  ['JSON', JSON_HEAD],
])(
  'ATT-27: a client that reads nothing of %s stops the upstream, and gets all when it reads on',
  async (_, start) => {
    stage = await RawStage.set();
    answerMuch(start);
    const slow = await stage.open({ model: 'first' });
    slow.stopReading();
    const upstream = await stage.upstream.connection(1);

    // Meanwhile as much goes all the way to a client that reads.
    const quick = await stage.ask({ model: 'second' });
    expect(extentOf(quick)).toEqual([true, MUCH]);
    expect(upstream.bytesTaken).toBeLessThan(MOST_BUFFERED);

    slow.readOn();
    const late = await slow.response();
    expect([late.isComplete, late.body.length]).toEqual([true, MUCH]);
  },
);

test('ATT-27: a client that stops and goes gets every byte', async () => {
  stage = await RawStage.set();
  answerMuch();
  const client = await stage.open({ model: 'first' });
  const answer = client.response();
  while (client.bytesReceived < MUCH) {
    client.stopReading();
    await new Promise((resolve) => setTimeout(resolve, 10));
    client.readOn();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(extentOf(await answer)).toEqual([true, MUCH]);
});

describe('a client that takes no byte', () => {
  test('ATT-33: is cut off after CLIENT_STALL_TIMEOUT_MS, and the upstream with it', async () => {
    stage = await RawStage.set({ CLIENT_STALL_TIMEOUT_MS: '300' });
    answerMuch();
    const client = await stage.open({ model: 'first' });
    client.stopReading();
    const upstream = await stage.upstream.connection(1);
    await upstream.closed;
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.router.requestLogs).toMatchObject([{ ending: 'interrupted', failovers: [] }]);
    client.readOn();
    expect((await client.response()).isComplete).toBe(false);
  });

  test('ATT-33: is cut off as well when the upstream has broken off meanwhile', async () => {
    stage = await RawStage.set({ CLIENT_STALL_TIMEOUT_MS: '300' });
    answerForEver();
    const client = await stage.open({ model: 'first' });
    client.stopReading();
    const upstream = await stage.upstream.connection(1);
    await upstream.stalled();
    upstream.reset();
    await eventually(() => stage.router.requestLogs.length === 1);
    client.readOn();
    expect((await client.response()).isComplete).toBe(false);
  });

  test('ATT-33: is waited for without end when that is 0', async () => {
    stage = await RawStage.set({ CLIENT_STALL_TIMEOUT_MS: '0' });
    answerMuch();
    const client = await stage.open({ model: 'first' });
    client.stopReading();
    await stage.ask({ model: 'second' });
    client.readOn();
    expect(extentOf(await client.response())).toEqual([true, MUCH]);
  });

  test('ATT-33: but has caught up again is not cut off later', async () => {
    stage = await RawStage.set({ CLIENT_STALL_TIMEOUT_MS: '300' });
    const later = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM);
      for (let n = 0; n < MUCH / PIECE_BYTES; n++) await connection.write(PIECE);
      await later.promise;
      await connection.write(chunk('data: 1\n\n') + chunk(''));
    });
    const client = await stage.open({ model: 'first' });
    await eventually(() => client.bytesReceived > MUCH);

    // Another client comes later and stops reading; it is cut off meanwhile.
    answerMuch();
    const other = await stage.open({ model: 'second' });
    other.stopReading();
    await eventually(() => stage.router.requestLogs.length === 1);
    later.resolve();
    expect((await client.response()).isComplete).toBe(true);
  });

  test('ATT-33: but takes some again and again is not cut off', async () => {
    stage = await RawStage.set({ CLIENT_STALL_TIMEOUT_MS: '1000' });
    answerForEver();
    const client = await stage.open({ model: 'first' });
    const takeSome = async () => {
      const before = client.bytesReceived;
      client.readOn();
      await eventually(() => client.bytesReceived > before + 5_000_000);
      client.stopReading();
    };
    for (const startedAt = performance.now(); performance.now() - startedAt < 1_500;) {
      await takeSome();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await takeSome();
    expect(stage.router.requestLogs).toEqual([]);
  });
});
