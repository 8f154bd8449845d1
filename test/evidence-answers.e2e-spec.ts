import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { type Answer, ask, type AskOptions, errorOf } from './support/ask.js';
import { closedPort } from './support/ports.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

/** Of a chute that the catalog does not know; the simulated answers are made up by each test. */
const PATH = '/chutes/ffffffff-0000-4000-8000-00000000000f/evidence';

let chutes: ChutesSimulator;
let router: TestRouter;
const others: TestRouter[] = [];

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  router = await startRouter(chutes);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

afterEach(async () => {
  chutes.feed('evidence', 'normal');
  await Promise.all(others.splice(0).map((other) => other.close()));
});

describe('the answer', () => {
  const LIVE = 'testdata/chutes_live/';
  const JSON_TYPE = 'application/json';

  test.each([
    ['a success', 200, JSON_TYPE, readFileSync(`${LIVE}evidence_success_2026-06.json`)],
    ['an old runtime', 400, JSON_TYPE, readFileSync(`${LIVE}evidence_old_runtime_400_2026-02-18.json`)],
    ['not TEE after all', 400, JSON_TYPE, readFileSync(`${LIVE}evidence_not_tee_400_2026-02-18.json`)],
    ['a short nonce', 400, JSON_TYPE, readFileSync(`${LIVE}evidence_short_nonce_400_2026-02-18.json`)],
    [
      'an array of details',
      422,
      JSON_TYPE,
      readFileSync(`${LIVE}evidence_missing_nonce_422_2026-02-18.json`),
    ],
    ['a page of HTML', 429, 'text/html', readFileSync(`${LIVE}chat_unauthenticated_429_2026-02-18.html`)],
    ['a status that generations retry', 503, JSON_TYPE, Buffer.from('{"detail":"later"}')],
    ['bytes that are no text', 200, 'application/octet-stream', Buffer.from([0, 0xff, 0x80, 0x0a])],
    ['half of a document', 200, JSON_TYPE, Buffer.from('{"evidence":[')],
    ['another root', 200, JSON_TYPE, Buffer.from('"odd"')],
  ])('EVD-11, EVD-1: is relayed unchanged: %s', async (_, status, type, body) => {
    chutes.feed('evidence', { kind: 'body', status, body, headers: { 'content-type': type } });
    const answer = await askFor();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type]);
    expect(answer.bytes).toEqual(body);
    await chutes.nextRequest(PATH);
  });

  test.each([200, 204, 404, 500])('EVD-12: an empty body is relayed, too: %d', async (status) => {
    chutes.feed('evidence', { kind: 'body', status, body: '', headers: { 'x-empty': 'yes' } });
    const answer = await askFor();
    expect([answer.status, answer.headers.get('x-empty'), answer.bytes.length]).toEqual([status, 'yes', 0]);
    await chutes.nextRequest(PATH);
  });

  test('EVD-8: headers go both ways, less those that stay behind', async () => {
    chutes.feed('evidence', {
      kind: 'body',
      body: '{}',
      headers: {
        'x-chutes-invocationid': 'i',
        'set-cookie': 'a=b',
        'strict-transport-security': 'max-age=1',
      },
    });
    const { headers } = await askFor(router, {
      headers: {
        authorization: 'Bearer cpk_1',
        'x-own': '1',
        cookie: 'c=d',
        'x-forwarded-for': '203.0.113.1',
        'x-request-id': 'id-of-the-client',
      },
    });
    expect(headers.get('x-chutes-invocationid')).toBe('i');
    expect(headers.get('x-request-id')).toBe('id-of-the-client');
    for (const name of ['set-cookie', 'strict-transport-security']) expect(headers.has(name)).toBe(false);
    const request = await chutes.nextRequest(PATH);
    expect(request.headers).toMatchObject({
      authorization: 'Bearer cpk_1',
      'x-own': '1',
      'x-request-id': 'id-of-the-client',
      'accept-encoding': 'identity',
    });
    for (const name of ['cookie', 'x-forwarded-for']) expect(request.headers).not.toHaveProperty(name);
  });
});

describe('no answer', () => {
  test('EVD-9: silence is a 504 after the time of the control plane, and there is one attempt', async () => {
    const hasty = await startOther({ CONTROL_PLANE_TIMEOUT_MS: '300' });
    chutes.feed('evidence', 'silent');
    const startedAt = performance.now();
    const answer = await askFor(hasty);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(295);
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([504, 'false']);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', code: 'upstream_header_timeout' });
    expect(await (await chutes.nextRequest(PATH)).ended).toBe('client-gone');
    await eventually(() => hasty.requestLogs.length > 0);
    expect(hasty.requestLogs).toEqual([expect.objectContaining({ attempts: 1, status: 504 })]);
  });

  test('EVD-9: the time is that to the headers; the body may take longer', async () => {
    const hasty = await startOther({ CONTROL_PLANE_TIMEOUT_MS: '500' });
    chutes.feed('evidence', {
      kind: 'scripted',
      script: async (exchange) => {
        await exchange.head(200, { 'content-type': 'application/json' });
        await exchange.sleep(800);
        await exchange.write('{"evidence":[]}');
      },
    });
    const answer = await askFor(hasty);
    expect([answer.status, answer.text]).toEqual([200, '{"evidence":[]}']);
    await chutes.nextRequest(PATH);
  });

  test('HLT-15, HDR-17: whoever waits at the end of the grace time is refused, with no word of attempts', async () => {
    const ending = await startOther({ SHUTDOWN_DRAIN_MS: '0', SHUTDOWN_GRACE_MS: '0' });
    chutes.feed('evidence', 'silent');
    const waiting = askFor(ending);
    const request = await chutes.nextRequest(PATH);
    await ending.app.get(LifecycleService).stop();
    const answer = await waiting;
    expect([answer.status, answer.headers.get('x-chutes-autopilot-attempts')]).toEqual([503, null]);
    expect(errorOf(answer)).toMatchObject({ code: 'shutting_down' });
    expect(await request.ended).toBe('client-gone');
  });

  test('EVD-10: what cannot be reached is a 502', async () => {
    const lost = await startOther({ EVIDENCE_BASE_URL: `http://127.0.0.1:${await closedPort()}` });
    const answer = await askFor(lost);
    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', code: 'upstream_connect_error' });
  });

  test.each([
    ['a reset', 'upstream_reset', { kind: 'reset' }],
    [
      'something that is not HTTP',
      'upstream_invalid_response',
      {
        kind: 'scripted',
        script: async (exchange) => {
          await exchange.raw('220 mail.example ESMTP\r\n\r\n');
          exchange.close();
        },
      },
    ],
  ] satisfies [string, string, Parameters<ChutesSimulator['feed']>[1]][])(
    'EVD-10: %s is a 502 after one attempt',
    async (_, code, behaviour) => {
      const before = chutes.count(PATH);
      chutes.feed('evidence', behaviour);
      const answer = await askFor();
      expect(answer.status).toBe(502);
      expect(errorOf(answer)).toMatchObject({ type: 'server_error', code });
      chutes.feed('evidence', 'normal');
      await askFor();
      expect(chutes.count(PATH)).toBe(before + 2);
      await chutes.nextRequest(PATH);
      await chutes.nextRequest(PATH);
    },
  );

  test('EVD-1: a client that leaves takes its request with it', async () => {
    chutes.feed('evidence', 'silent');
    const leaving = new AbortController();
    const answer = askFor(router, { signal: leaving.signal });
    const request = await chutes.nextRequest(PATH);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await request.aborted;
    await eventually(() => router.requestLogs.at(-1)?.['ending'] === 'client_gone');
  });
});

async function askFor(of = router, options?: AskOptions): Promise<Answer> {
  return ask(of, `${PATH}?nonce=${'0123456789abcdef'.repeat(4)}`, options);
}

/** Without its feeds, which may not meet short timeouts: a chute's id needs no catalog. */
async function startOther(env: Env): Promise<TestRouter> {
  const other = await startRouter(chutes, env, { awaitReady: false });
  others.push(other);
  return other;
}
