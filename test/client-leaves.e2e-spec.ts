import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { chatRequest } from './support/chat-request.js';
import { metricsOf } from './support/metrics.js';
import type { RawClient } from './support/raw-client.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RawConnection } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const EVENT_STREAM = head('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked');
const WAYS = [
  ['closes', (client: RawClient) => client.close()],
  ['resets', (client: RawClient) => client.reset()],
] as const;

let stage: RawStage;

afterEach(async () => stage.clear());

/** What is seen of it when the client leaves, at the upstream's end of this connection and in the router. */
async function seenOf(leave: () => void, connection: RawConnection): Promise<unknown> {
  if (connection.isClosed) throw new Error('The connection was closed before the client left.');
  leave();
  const inTime = await Promise.race([connection.closed.then(() => true), late()]);
  return { inTime, ...(await blameOf()) };
}

/** After a second, and some turns more for what came while this process stood still. */
async function late(): Promise<false> {
  await sleep(1_000, undefined, { ref: false });
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  return false;
}

/** Whom the router blames for the only request. */
async function blameOf(): Promise<{ ending: unknown; failovers: unknown; counted: unknown }> {
  await eventually(() => stage.router.requestLogs.length === 1);
  const [{ ending, failovers } = {}] = stage.router.requestLogs;
  return {
    ending,
    failovers,
    counted: (await metricsOf(stage.router)).by('reason', 'failover_reason_total'),
  };
}

const NOBODY = { ending: 'client_gone', failovers: [], counted: {} };
const ABORTED = { inTime: true, ...NOBODY };

describe.each(WAYS)('a client that %s its connection', (_, leave) => {
  test('ATT-28, ATT-29: while it uploads costs no request upstream', async () => {
    stage = await RawStage.set();
    const request = chatRequest({ model: 'first,second' });
    const client = await stage.send(request.slice(0, -9));
    await eventually(async () => (await activeRequests()) === 1);
    leave(client);
    expect(await blameOf()).toEqual(NOBODY);
    await stage.ask({ model: 'third' });
    expect(stage.upstream.models).toEqual(['third']);
  });

  test('ATT-28, ATT-29: while it waits for a connection costs no request upstream', async () => {
    stage = await RawStage.set({ UPSTREAM_MAX_CONNECTIONS: '1' });
    const held = Promise.withResolvers<void>();
    stage.upstream.answer('third', async (connection) => {
      await held.promise;
      await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx');
    });
    const holder = await stage.open({ model: 'third' });
    await stage.upstream.request(1);
    const client = await stage.open({ model: 'first,second' });
    await eventually(async () => (await activeRequests()) === 2);
    leave(client);
    expect(await blameOf()).toEqual(NOBODY);
    held.resolve();
    await holder.response();
    await stage.ask({ model: 'second' });
    expect(stage.upstream.models).toEqual(['third', 'second']);
  });

  test('ATT-28, ATT-29: while the router connects ends the connection', async () => {
    stage = await RawStage.set({ UPSTREAM_CONNECT_TIMEOUT_MS: '30000' }, { tls: true });
    stage.upstream.onConnection = () => true;
    const client = await stage.open({ model: 'first,second' });
    expect(await seenOf(() => leave(client), await stage.upstream.connection(1))).toEqual(ABORTED);
    expect(stage.upstream.connections).toHaveLength(1);
  });

  test('ATT-28, ATT-29: while its request is sent on ends the sending', async () => {
    stage = await RawStage.set();
    // Interim responses let the upstream see that its connection is over, though it reads nothing.
    stage.upstream.onConnection = (connection) => {
      connection.stopReading();
      void connection.writeForEver(head('103 Early Hints'), 5);
    };
    const client = await stage.open({ model: 'first,second', prompt: 'x'.repeat(30_000_000) });
    const connection = await stage.upstream.connection(1);
    await eventually(() => connection.bytesTaken > 100);
    expect(await seenOf(() => leave(client), connection)).toEqual(ABORTED);
  });

  test('ATT-28, ATT-29: while it waits for the headers aborts the request', async () => {
    stage = await RawStage.set();
    stage.upstream.answer('first', () => {});
    const client = await stage.open({ model: 'first,second', stream: true });
    await stage.upstream.request(1);
    expect(await seenOf(() => leave(client), await stage.upstream.connection(1))).toEqual(ABORTED);
    expect(stage.upstream.models).toEqual(['first']);
  });

  test('ATT-28, ATT-29: while it waits for the first byte aborts the request', async () => {
    stage = await RawStage.set();
    stage.upstream.answer('first', async (connection) => void (await connection.write(EVENT_STREAM)));
    const client = await stage.open({ model: 'first,second', stream: true });
    await stage.upstream.request(1);
    expect(await seenOf(() => leave(client), await stage.upstream.connection(1))).toEqual(ABORTED);
    expect(stage.upstream.models).toEqual(['first']);
  });

  test('ATT-28, ATT-29: while a later candidate is tried aborts that one', async () => {
    stage = await RawStage.set();
    stage.upstream.answer('first', async (connection) => {
      await connection.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    });
    stage.upstream.answer('second', () => {});
    const client = await stage.open({ model: 'first,second,third', stream: true });
    await stage.upstream.request(2);
    const connection = stage.upstream.connections.at(-1);
    leave(client);
    await connection?.closed;
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.router.requestLogs).toMatchObject([{ failovers: ['upstream_503'], ending: 'client_gone' }]);
    expect(stage.upstream.models).toEqual(['first', 'second']);
  });

  test('ATT-28, ATT-29: in the middle of a stream aborts the request', async () => {
    stage = await RawStage.set();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM + chunk('data: 1\n\n'));
    });
    const client = await stage.open({ model: 'first,second', stream: true });
    await client.receives('data: 1');
    expect(await seenOf(() => leave(client), await stage.upstream.connection(1))).toEqual(ABORTED);
  });

  test('ATT-28, ATT-29: which it has stopped reading aborts the request', async () => {
    stage = await RawStage.set();
    const megabyte = chunk('x'.repeat(1_000_000));
    stage.upstream.answer('first', async (connection) => {
      await connection.write(EVENT_STREAM);
      await connection.writeForEver(megabyte);
    });
    const client = await stage.open({ model: 'first,second', stream: true });
    client.stopReading();
    const connection = await stage.upstream.connection(1);
    await connection.stalled();
    expect(await seenOf(() => leave(client), connection)).toEqual(ABORTED);
  });
});

async function activeRequests(): Promise<number> {
  return (await metricsOf(stage.router)).value('requests_active');
}
