import { afterEach, describe, expect, test } from '@jest/globals';
import { metricsOf } from './support/metrics.js';
import type { RawClient } from './support/raw-client.js';
import { headerOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { head, type RequestScript, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const ONE_CONNECTION = { UPSTREAM_MAX_CONNECTIONS: '1' };

let stage: RawStage;

afterEach(async () => stage.clear());

/** A request that holds its connection until it is let go. */
async function hold(model = 'third'): Promise<{ client: RawClient; letGo: () => void }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.upstream.answer(model, async (connection) => {
    await promise;
    await connection.write(response('200 OK', [], 'held'));
  });
  const before = stage.upstream.requests.length;
  const client = await stage.open({ model });
  await stage.upstream.request(before + 1);
  return { client, letGo: resolve };
}

describe('with all connections busy', () => {
  test.each([
    ['direct', 'first', undefined],
    ['list', 'first,second', undefined],
    ['alias', 'chutesai/AutoPilot', undefined],
  ])('ATT-25: a request in %s mode is overloaded, which is no attempt', async (mode, model, attempts) => {
    stage = await RawStage.set({ ...ONE_CONNECTION, UPSTREAM_CONNECT_TIMEOUT_MS: '150' });
    await hold();
    const answer = await stage.ask({ model, stream: true });
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'overloaded' } });
    expect(headerOf(answer, 'retry-after')).toMatch(/^\d+$/);
    expect(headerOf(answer, 'x-chutes-autopilot-attempts')).toBe(attempts);
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.router.requestLogs).toMatchObject([{ mode, attempts: 0, failovers: [] }]);
    expect(stage.upstream.models).toEqual(['third']);
  });

  test('ATT-25: a request waits UPSTREAM_CONNECT_TIMEOUT_MS for one, and no less', async () => {
    stage = await RawStage.set({ ...ONE_CONNECTION, UPSTREAM_CONNECT_TIMEOUT_MS: '300' });
    await hold();
    const startedAt = performance.now();
    expect((await stage.ask({ model: 'first' })).status).toBe(503);
    expect(performance.now() - startedAt).toBeGreaterThan(280);
  });

  test('ATT-25: those who wait get the next free one, the first come first', async () => {
    stage = await RawStage.set(ONE_CONNECTION);
    const held = await hold();
    const clients = [await stage.open({ model: 'first' })];
    await eventually(async () => (await activeRequests()) === 2);
    clients.push(await stage.open({ model: 'second' }));
    await eventually(async () => (await activeRequests()) === 3);
    held.letGo();
    const answers = await Promise.all(clients.map(async (client) => client.response()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(stage.upstream.models).toEqual(['third', 'first', 'second']);
  });

  test('ATT-25: a candidate that failed makes room for the next one', async () => {
    stage = await RawStage.set(ONE_CONNECTION);
    const failures: RequestScript[] = [
      (connection) => connection.reset(),
      async (connection) => void (await connection.write(`${head('503 Busy', 'Content-Length: 9')}half`)),
    ];
    for (const failure of failures) {
      stage.upstream.answer('first', failure);
      const answer = await stage.ask({ model: 'first,second' });
      expect([answer.status, headerOf(answer, 'x-chutes-autopilot-selected')]).toEqual([200, 'second']);
    }
  });

  test('ATT-25: never more than UPSTREAM_MAX_CONNECTIONS are open', async () => {
    stage = await RawStage.set({ UPSTREAM_MAX_CONNECTIONS: '2' });
    let most = 0;
    stage.upstream.answer('*', async (connection) => {
      most = Math.max(most, stage.upstream.connections.filter(({ isClosed }) => !isClosed).length);
      await connection.write(response('200 OK', [], 'x'));
    });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => stage.ask({ model: 'first' })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe('a connection is given back', () => {
  test.each<[string, RequestScript]>([
    ['a complete answer', async (connection) => void (await connection.write(response('200 OK', [], 'x')))],
    ['a reset', (connection) => connection.reset()],
    ['a timeout', () => {}],
    [
      'an answer that breaks',
      async (connection) => {
        await connection.write(`${head('200 OK', 'Content-Length: 9')}half`);
        connection.reset();
      },
    ],
  ])('ATT-25: after %s', async (_, script) => {
    stage = await RawStage.set({ ...ONE_CONNECTION, UPSTREAM_PATIENT_TIMEOUT_MS: '500' });
    stage.upstream.answer('first', script);
    for (let n = 0; n < 3; n++) await stage.ask({ model: 'first' });
    expect((await stage.ask({ model: 'second' })).status).toBe(200);
    expect(stage.upstream.models).toEqual(['first', 'first', 'first', 'second']);
  });

  test('ATT-25, ATT-28: when the client leaves', async () => {
    stage = await RawStage.set(ONE_CONNECTION);
    stage.upstream.answer('first', () => {});
    for (let n = 1; n <= 3; n++) {
      const client = await stage.open({ model: 'first' });
      await stage.upstream.request(n);
      const connection = await stage.upstream.connection(n);
      client.close();
      await connection.closed;
    }
    expect((await stage.ask({ model: 'second' })).status).toBe(200);
  });
});

describe('a kept connection', () => {
  const good = response('200 OK', [], 'good');

  test('ATT-8: that the upstream closes meanwhile harms no request', async () => {
    stage = await RawStage.set();
    await stage.ask({ model: 'first' });
    const kept = await stage.upstream.connection(1);
    kept.fin();
    await kept.closed;
    expect((await stage.ask({ model: 'first' })).status).toBe(200);
    expect(stage.upstream.connections).toHaveLength(2);
  });

  test('ATT-8: that is reset by the request is not tried again with the same model', async () => {
    stage = await RawStage.set();
    await stage.ask({ model: 'first' });
    stage.upstream.answer('first', (connection) => connection.reset());
    const answer = await stage.ask({ model: 'first,second' });
    expect(headerOf(answer, 'x-chutes-autopilot-selected')).toBe('second');
    expect(stage.upstream.models).toEqual(['first', 'first', 'second']);
  });

  test.each([
    ['another response', Buffer.concat([good, response('200 OK', [], 'evil')])],
    ['bytes that are no HTTP', Buffer.concat([good, Buffer.from('evil')])],
  ])('ATT-9: with %s behind its answer is not used again', async (_, bytes) => {
    stage = await RawStage.set();
    stage.upstream.answer('first', async (connection) => void (await connection.write(bytes)));
    expect((await stage.ask({ model: 'first' })).body.toString()).toBe('good');
    await (
      await stage.upstream.connection(1)
    ).closed;
    expect((await stage.ask({ model: 'second' })).body.toString()).toContain('"second"');
    expect(stage.upstream.connections).toHaveLength(2);
  });

  test.each([
    ['another response', Buffer.concat([good, response('200 OK', [], 'evil')])],
    ['bytes that are no HTTP', Buffer.concat([good, Buffer.from('evil')])],
  ])('ATT-9, ATT-25: %s behind an answer does not reach who waits for the connection', async (_, bytes) => {
    stage = await RawStage.set(ONE_CONNECTION);
    const ready = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await ready.promise;
      await connection.write(bytes);
    });
    const first = await stage.open({ model: 'first' });
    await stage.upstream.request(1);
    const waiting = await stage.open({ model: 'second' });
    await eventually(async () => (await activeRequests()) === 2);
    ready.resolve();
    expect((await first.response()).body.toString()).toBe('good');
    expect((await waiting.response()).body.toString()).toContain('"second"');
  });

  test('ATT-9: a response that nobody asked for ends it, and answers nobody', async () => {
    stage = await RawStage.set();
    await stage.ask({ model: 'first' });
    const kept = await stage.upstream.connection(1);
    await kept.write(response('200 OK', [], 'evil'));
    await kept.closed;
    expect((await stage.ask({ model: 'second' })).body.toString()).toContain('"second"');
  });

  test('ATT-9: a response that arrives together with the next request does not answer it', async () => {
    stage = await RawStage.set();
    for (let n = 0; n < 20; n++) {
      await stage.ask({ model: 'first' });
      const kept = stage.upstream.connections.at(-1);
      const evil = kept?.write(response('200 OK', [], 'evil'));
      const answer = await stage.ask({ model: 'second' });
      await evil;
      expect(answer.body.toString()).not.toBe('evil');
    }
  });
});

async function activeRequests(): Promise<number> {
  return (await metricsOf(stage.router)).value('requests_active');
}
