import { afterEach, describe, expect, test } from '@jest/globals';
import type { RawResponse } from './support/raw-response.js';
import { headerOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RequestScript, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';
import { standStillAfter } from './support/stand-still.js';

const CHUNKED = head('200 OK', 'Transfer-Encoding: chunked');

let stage: RawStage;

afterEach(async () => stage.clear());

const resets: RequestScript = (connection) => connection.reset();
const busy: RequestScript = async (connection) => void (await connection.write(response('503 Busy', [], '')));
const silence: RequestScript = () => {};
const silenceAfterHeaders: RequestScript = async (connection) => void (await connection.write(CHUNKED));
const hintsForEver: RequestScript = (connection) => connection.writeForEver(head('103 Early Hints'), 5);
const headerForEver: RequestScript = async (connection) => {
  await connection.write('HTTP/1.1 200 OK\r\nX-Long: ');
  await connection.writeForEver('x', 5);
};
const chunkHeadForEver: RequestScript = async (connection) => {
  await connection.write(`${CHUNKED}5;`);
  await connection.writeForEver('x', 5);
};

function errorOf(answer: RawResponse): unknown {
  return (JSON.parse(answer.body.toString()) as { error: unknown }).error;
}

async function request(): Promise<Readonly<Record<string, unknown>>> {
  await eventually(() => stage.router.requestLogs.length > 0);
  return stage.router.requestLogs[0] ?? {};
}

describe('an impatient attempt', () => {
  test.each([
    ['ATT-18', 'are missing', silence],
    ['ATT-23', 'never get beyond interim responses', hintsForEver],
    ['ATT-18', 'never come to an end', headerForEver],
  ])('%s, ATT-12: moves on when its headers %s', async (_clause, _, script) => {
    stage = await RawStage.set({ UPSTREAM_HEADER_TIMEOUT_MS: '100' });
    stage.upstream.answer('first', script);
    const answer = await stage.ask({ model: 'first,second', stream: true });
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-selected')]).toEqual([200, 'second']);
    expect(await request()).toMatchObject({ failovers: ['upstream_header_timeout'] });
    await (
      await stage.upstream.connection(1)
    ).closed;
  });

  test.each([
    ['is missing', silenceAfterHeaders],
    ['hides behind an endless chunk extension', chunkHeadForEver],
  ])('ATT-12, ATT-19: moves on when the first byte %s', async (_, script) => {
    stage = await RawStage.set({ UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '100' });
    stage.upstream.answer('first', script);
    const answer = await stage.ask({ model: 'first,second', stream: true });
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-selected')]).toEqual([200, 'second']);
    expect(await request()).toMatchObject({ failovers: ['upstream_first_body_byte_timeout'] });
    await (
      await stage.upstream.connection(1)
    ).closed;
  });

  test('ATT-18, ATT-23: has no less than its time', async () => {
    stage = await RawStage.set({ UPSTREAM_HEADER_TIMEOUT_MS: '300' });
    stage.upstream.answer('first', hintsForEver);
    const arrivals: number[] = [];
    stage.upstream.answer('second', async (connection) => {
      arrivals.push(performance.now());
      await connection.write(response('200 OK', [], 'x'));
    });
    await stage.open({ model: 'first,second', stream: true });
    await stage.upstream.request(1);
    arrivals.push(performance.now());
    await stage.upstream.request(2);
    const [first = 0, second = 0] = arrivals;
    expect(second - first).toBeGreaterThan(280);
  });
});

test.each([
  ['headers', []],
  ['first byte', [CHUNKED]],
])('ATT-23: %s that came while the process stood still have not come too late', async (_, early) => {
  stage = await RawStage.set({
    UPSTREAM_HEADER_TIMEOUT_MS: '200',
    UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '200',
  });
  stage.upstream.answer('first', async (connection) => {
    for (const part of early) await connection.write(part);
    // Both are under way: the headers that are early, and the timer for the rest.
    await stage.ask({ model: 'third' });
    const rest = (early.length === 0 ? CHUNKED : '') + chunk('x') + chunk('');
    await standStillAfter(() => connection.write(rest), 400);
  });
  const answer = await stage.ask({ model: 'first,second', stream: true });
  expect([answer.isComplete, headerOf(answer, 'x-chutes-autopilot-selected')]).toEqual([true, 'first']);
});

describe('a patient attempt', () => {
  test.each([
    ['is not streamed', 'second,third', false],
    ['is direct', 'second', true],
    ['is the last candidate', 'third,second', true],
    ['is the last of MAX_UPSTREAM_ATTEMPTS', 'third,second,first', true],
  ])('ATT-20, ATT-21: waits on when it %s', async (_, model, stream) => {
    stage = await RawStage.set({ UPSTREAM_HEADER_TIMEOUT_MS: '100', MAX_UPSTREAM_ATTEMPTS: '2' });
    const ready = Promise.withResolvers<void>();
    stage.upstream.answer('second', async (connection) => {
      await ready.promise;
      await connection.write(response('200 OK', [], 'at last'));
    });
    const busyOnce: RequestScript = async (connection) => {
      stage.upstream.answer('third', async (next) => void (await next.write(response('200 OK', [], 'x'))));
      await connection.write(response('503 Busy', [], ''));
    };
    stage.upstream.answer('third', model.startsWith('third') ? busyOnce : silence);
    const client = await stage.open({ model, stream });
    await stage.upstream.request(model.startsWith('third') ? 2 : 1);

    // An impatient attempt at the same model comes later and gives up meanwhile.
    const impatient = await stage.ask({ model: 'second,first', stream: true });
    expect(headerOf(impatient, 'x-chutes-autopilot-selected')).toBe('first');
    expect(client.bytesReceived).toBe(0);
    ready.resolve();
    expect((await client.response()).body.toString()).toBe('at last');
  });

  test('ATT-20: so is one whose timer would fire only when it is too late for another', async () => {
    stage = await RawStage.set({
      UPSTREAM_HEADER_TIMEOUT_MS: '200',
      FAILOVER_DEADLINE_MS: '150',
      UPSTREAM_PATIENT_TIMEOUT_MS: '600',
    });
    stage.upstream.answer('first', silence);
    const startedAt = performance.now();
    const answer = await stage.ask({ model: 'first,second', stream: true });
    expect(performance.now() - startedAt).toBeGreaterThan(580);
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-attempts')]).toEqual([504, '1']);
  });

  test.each([
    ['ATT-22', 'its headers are missing', silence, 'upstream_header_timeout'],
    ['ATT-23', 'interim responses are all it sends', hintsForEver, 'upstream_header_timeout'],
    ['ATT-22', 'its first byte is missing', silenceAfterHeaders, 'upstream_first_body_byte_timeout'],
  ])('%s, ERR-15: fails when %s', async (_clause, _, script, code) => {
    stage = await RawStage.set({ UPSTREAM_PATIENT_TIMEOUT_MS: '150' });
    stage.upstream.answer('first', script);
    const answer = await stage.ask({ model: 'first', stream: true });
    expect([answer.status, headerOf(answer, 'x-should-retry')]).toEqual([504, 'false']);
    expect(errorOf(answer)).toEqual({
      message: expect.any(String),
      type: 'server_error',
      param: null,
      code,
    });
    await (
      await stage.upstream.connection(1)
    ).closed;
  });

  test('ATT-21: has one time for headers and first byte together', async () => {
    stage = await RawStage.set({ UPSTREAM_PATIENT_TIMEOUT_MS: '600' });
    const laterIsSent = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await laterIsSent.promise;
      await connection.write(CHUNKED);
    });
    stage.upstream.answer('second', silence);
    const client = await stage.open({ model: 'first' });
    await stage.upstream.request(1);
    await stage.open({ model: 'second' });
    await stage.upstream.request(2);
    laterIsSent.resolve();

    expect(errorOf(await client.response())).toMatchObject({ code: 'upstream_first_body_byte_timeout' });
    // Had its headers given it more time, the later one would have run out of it before.
    await eventually(() => stage.router.requestLogs.length === 2);
    expect(stage.router.requestLogs.map(({ failovers }) => failovers)).toEqual([
      ['upstream_first_body_byte_timeout'],
      ['upstream_header_timeout'],
    ]);
  });

  test('ATT-12, ATT-15: is followed by the next candidate when it is not streamed', async () => {
    stage = await RawStage.set({ UPSTREAM_PATIENT_TIMEOUT_MS: '150' });
    stage.upstream.answer('first', silence);
    const answer = await stage.ask({ model: 'first,second' });
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-selected')]).toEqual([200, 'second']);
  });
});

describe('the deadline', () => {
  test.each([
    ['a failure', resets, 502],
    ['a retryable status', busy, 503],
  ])('ATT-2, ATT-15: %s past it is the answer, though candidates are left', async (_, script, status) => {
    stage = await RawStage.set({ FAILOVER_DEADLINE_MS: '100' });
    stage.upstream.answer('first', async (connection, sent) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await script(connection, sent);
    });
    const answer = await stage.ask({ model: 'first,second' });
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-attempts')]).toEqual([status, '1']);
    expect(stage.upstream.models).toEqual(['first']);
  });

  test('ATT-2: counts from the end of the request, however long its upload took', async () => {
    stage = await RawStage.set({ FAILOVER_DEADLINE_MS: '1000' });
    stage.upstream.answer('first', (connection) => connection.reset());
    const body = JSON.stringify({ model: 'first,second' });
    const client = await stage.send(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await client.send(body.slice(9));
    const answer = await client.response();
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-attempts')]).toEqual([200, '2']);
  });
});

test('ATT-4, ATT-19: an answer whose first byte has come is not timed any more by the clocks of an attempt', async () => {
  stage = await RawStage.set({
    UPSTREAM_HEADER_TIMEOUT_MS: '100',
    UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '100',
    UPSTREAM_PATIENT_TIMEOUT_MS: '100',
  });
  const timedOut = Promise.withResolvers<void>();
  stage.upstream.answer('first', async (connection) => {
    await connection.write(CHUNKED + chunk('a'));
    await timedOut.promise;
    await connection.write(chunk('b') + chunk(''));
  });
  stage.upstream.answer('second', silence);
  const client = await stage.open({ model: 'first,second', stream: true });
  await client.receives('a');
  expect((await stage.ask({ model: 'second' })).status).toBe(504);
  timedOut.resolve();
  expect((await client.response()).body.toString()).toBe('ab');
});
