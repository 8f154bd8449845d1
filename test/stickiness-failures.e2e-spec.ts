import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { complete } from './support/ask.js';
import { arrived, Caller } from './support/caller.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const [A, B, C] = ['m/a', 'm/b', 'm/c'] as const;
const LIST = `${A},${B},${C}`;

let chutes: ChutesSimulator;
let router: TestRouter;
/** Gives up soon on a stream that could go elsewhere, and on one that falls silent. */
let hasty: TestRouter;
let callers = 0;

beforeAll(async () => {
  chutes = await chutesWith([A, B, C]);
  router = await startRouter(chutes);
  hasty = await startRouter(chutes, {
    UPSTREAM_HEADER_TIMEOUT_MS: '200',
    UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '200',
    UPSTREAM_IDLE_TIMEOUT_MS: '300',
  });
});

afterAll(async () => {
  await hasty.close();
  await router.close();
  await chutes.close();
});

afterEach(() => {
  for (const model of [A, B, C]) chutes.behave(model, 'normal', { times: 0 });
});

describe('the pinned model fails', () => {
  test.each<NamedKind>([
    'unavailable',
    'bad-gateway',
    'gateway-timeout',
    'reset',
    'close',
    'empty-body',
    'reset-after-headers',
  ])('STK-8: %s moves the pin to the model that answers instead', async (kind) => {
    const { caller } = await pinnedToB();
    chutes.behave(B, kind, { times: 1 });
    expect(await caller.tries(LIST)).toEqual([B, A]);
    expect(await caller.tries(LIST)).toEqual([A]);
  });

  test.each<NamedKind>(['silent', 'headers-then-silence'])(
    'STK-8: so does a stream that is %s for too long',
    async (kind) => {
      // The last one left is given time, and so is every answer that is not streamed.
      const list = `${A},${B}`;
      const { caller } = newClient(hasty);
      await caller.pinToSecond(list);
      chutes.behave(B, kind, { times: 1 });
      const { headers } = await caller.ask(list, { stream: true });
      expect(headers.get('x-chutes-autopilot-attempts')).toBe('2');
      expect(await arrived(chutes, 2)).toEqual([B, A]);
      expect(await caller.tries(list)).toEqual([A]);
    },
  );

  test.each<NamedKind>(['unavailable', 'reset', 'empty-body'])(
    'STK-8: where all of them fail the pin is gone: %s',
    async (kind) => {
      const { caller } = await pinnedToB();
      for (const model of [A, B, C]) chutes.behave(model, kind, { times: 1 });
      await caller.ask(LIST);
      expect(await arrived(chutes, 3)).toEqual([B, A, C]);
      expect(await caller.tries(LIST)).toEqual([A]);
    },
  );

  test('STK-8: where another one answers without success the pin is gone, too', async () => {
    const { caller } = await pinnedToB();
    chutes.behave(B, 'unavailable', { times: 1 });
    chutes.behave(A, 'rate-limited', { times: 1 });
    expect(await caller.tries(LIST)).toEqual([B, A]);
    expect(await caller.tries(LIST)).toEqual([A]);
  });

  test('STK-8: a request that found no free connection says nothing about the pinned model', async () => {
    const narrow = await startRouter(chutes, {
      UPSTREAM_MAX_CONNECTIONS: '1',
      UPSTREAM_CONNECT_TIMEOUT_MS: '500',
    });
    const { caller } = newClient(narrow);
    await caller.pinToSecond(LIST);
    chutes.behave(C, 'silent', { times: 1 });
    const leaving = new AbortController();
    const blocking = complete(narrow, { model: C }, { signal: leaving.signal });
    const blocked = await chutes.nextRequest();
    expect((await caller.ask(LIST)).status).toBe(503);
    leaving.abort();
    await expect(blocking).rejects.toThrow('aborted');
    await blocked.aborted;
    expect(await caller.tries(LIST)).toEqual([B]);
    await narrow.close();
  });

  test.each(['cut-stream', 'unframed-error', 'stall', 'truncated'] as const)(
    'STK-9: %s after the commit drops the pin',
    async (kind) => {
      const of = kind === 'stall' ? hasty : router;
      const { caller } = newClient(of);
      await caller.pinToSecond(LIST);
      chutes.behave(B, kind, { times: 1 });
      const before = of.requestLogs.length;
      await caller.ask(LIST, { stream: true }).catch(() => 'It was cut, as it should be.');
      await eventually(() => of.requestLogs.length > before);
      expect(of.requestLogs.at(-1)).toMatchObject({ model: B, attempts: 1, ending: 'interrupted' });
      await arrived(chutes, 1);
      expect(await caller.tries(LIST)).toEqual([A]);
    },
  );

  test.each(['cut-stream', 'truncated'] as const)(
    'STK-8, ATT-65: %s of an answer in one piece moves the pin to the model that answers instead',
    async (kind) => {
      const { caller } = newClient(router);
      await caller.pinToSecond(LIST);
      chutes.behave(B, kind, { times: 1 });
      expect(await caller.tries(LIST)).toEqual([B, A]);
      expect(await caller.tries(LIST)).toEqual([A]);
    },
  );

  test.each<NamedKind>(['cut-stream', 'unframed-error', 'stall'])(
    'STK-9: %s drops the pin when the router sees it, though the client cannot be told yet',
    async (kind) => {
      const { caller, headers } = newClient(hasty);
      await caller.pinToSecond(LIST);
      chutes.behave(C, { kind: 'scripted', script: async ({ closed }) => closed }, { times: 1 });
      chutes.behave(B, kind, { times: 1 });
      // In a pipeline the broken answer has to wait for the one in front of it, which never comes.
      const own = [`Authorization: ${headers['authorization']}`];
      const before = hasty.requestLogs.length;
      const pipeline = [chatRequest({ model: C }), chatRequest({ model: LIST, stream: true, headers: own })];
      const client = await RawClient.open(Number(new URL(hasty.url).port), pipeline.join(''));
      const requests = [await chutes.nextRequest(), await chutes.nextRequest()];
      await requests.find(({ model }) => model === B)?.ended;
      // What comes later has been seen, so the end has, too.
      await caller.ask(C);
      expect(await arrived(chutes, 1)).toEqual([C]);

      expect(await caller.tries(LIST)).toEqual([A]);
      expect(hasty.requestLogs.slice(before).some(({ ending }) => ending === 'interrupted')).toBe(false);
      client.close();
    },
  );
});

describe('the pinned model answers without success', () => {
  const LIVE = 'testdata/chutes_live/';

  test.each([
    ['a 429 in HTML', 429, 'text/html', readFileSync(`${LIVE}chat_unauthenticated_429_2026-02-18.html`)],
    ['a 429 in JSON', 429, 'application/json', Buffer.from('{"detail":"Free models limit reached"}')],
    ['a 401', 401, 'application/json', readFileSync(`${LIVE}chat_invalid_token_401_2026-02-18.json`)],
    ['a 402', 402, 'application/json', Buffer.from('{"detail":"Quota exceeded"}')],
    ['a 400', 400, 'application/json', Buffer.from('{"detail":[{"type":"missing"}]}')],
    ['a 500', 500, 'text/plain', Buffer.from([0xff, 0x00])],
    ['a redirect', 307, 'text/plain', Buffer.from('elsewhere')],
    ['a 404 with an empty body', 404, 'text/plain', Buffer.alloc(0)],
  ])(
    'STK-10: %s is relayed untouched, without a failover, and leaves the pin alone',
    async (_, status, type, body) => {
      const { caller } = await pinnedToB();
      const headers = { 'content-type': type, 'retry-after': '7', location: '/elsewhere' };
      chutes.behave(B, { kind: 'status', status, headers, body }, { times: 1 });
      const answer = await caller.ask(LIST);
      expect(answer.status).toBe(status);
      expect(answer.bytes).toEqual(body);
      for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name)).toBe(value);
      expect(answer.headers.get('x-chutes-autopilot-attempts')).toBe('1');
      expect(await arrived(chutes, 1)).toEqual([B]);
      expect(await caller.tries(LIST)).toEqual([B]);
    },
  );

  test.each<NamedKind>(['rate-limited', 'unauthorized', 'internal-error'])(
    'STK-10: %s sets no pin either',
    async (kind) => {
      const { caller } = newClient();
      chutes.behave(A, 'unavailable', { times: 1 });
      chutes.behave(B, kind, { times: 1 });
      expect(await caller.tries(LIST)).toEqual([A, B]);
      expect(await caller.tries(LIST)).toEqual([A]);
    },
  );
});

describe('the client leaves before the commit', () => {
  test('STK-11: no pin is set', async () => {
    const { caller, headers } = newClient();
    chutes.behave(A, 'unavailable', { times: 1 });
    chutes.behave(B, 'silent', { times: 1 });
    await leaveDuring(headers, [A, B]);
    expect(await caller.tries(LIST)).toEqual([A]);
  });

  test('STK-11: the pin on a model that had not answered stays', async () => {
    const { caller, headers } = await pinnedToB();
    chutes.behave(B, 'silent', { times: 1 });
    await leaveDuring(headers, [B]);
    expect(await caller.tries(LIST)).toEqual([B]);
  });

  test('STK-8, STK-11: the pin on a model that had failed before goes all the same', async () => {
    const { caller, headers } = await pinnedToB();
    chutes.behave(B, 'unavailable', { times: 1 });
    chutes.behave(A, 'silent', { times: 1 });
    await leaveDuring(headers, [B, A]);
    expect(await caller.tries(LIST)).toEqual([A]);
  });
});

function newClient(of = router): { caller: Caller; headers: Readonly<Record<string, string>> } {
  callers += 1;
  const headers = { authorization: `Bearer cpk_${callers}` };
  return { caller: new Caller(chutes, of, headers), headers };
}

async function pinnedToB(): Promise<ReturnType<typeof newClient>> {
  const client = newClient();
  await client.caller.pinToSecond(LIST);
  return client;
}

/** Leaves when the last of these attempts has reached the upstream; returns when the router has seen it. */
async function leaveDuring(
  headers: Readonly<Record<string, string>>,
  attempts: readonly string[],
): Promise<void> {
  const before = router.requestLogs.length;
  const leaving = new AbortController();
  const answer = complete(router, { model: LIST }, { headers, signal: leaving.signal });
  expect(await arrived(chutes, attempts.length)).toEqual(attempts);
  leaving.abort();
  await expect(answer).rejects.toThrow('aborted');
  await eventually(() => router.requestLogs.length > before);
  expect(router.requestLogs.at(-1)).toMatchObject({ ending: 'client_gone', attempts: attempts.length });
}
