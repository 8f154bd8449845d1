import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete, errorOf } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const CONNECTIONS = 64;
const PATH = '/chutes/ffffffff-0000-4000-8000-00000000000f/evidence';
const QUESTION = `${PATH}?nonce=${'0123456789abcdef'.repeat(4)}`;
const REQUEST = { model: 'a/one' };

let chutes: ChutesSimulator;
let router: TestRouter;
let leaving: AbortController;

beforeEach(async () => {
  chutes = await chutesWith([REQUEST.model]);
  router = await startRouter(chutes, { UPSTREAM_MAX_CONNECTIONS: '1', UPSTREAM_CONNECT_TIMEOUT_MS: '1500' });
  leaving = new AbortController();
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

test('EVD-13, ATT-25: evidence beyond its connections waits and is then overloaded, completions are not', async () => {
  chutes.feed('evidence', 'silent');
  const { signal } = leaving;
  const busy = Array.from({ length: CONNECTIONS }, async () => ask(router, QUESTION, { signal }));
  const ended = Promise.allSettled(busy);
  await eventually(() => chutes.count(PATH) === CONNECTIONS);

  const askedAtMs = performance.now();
  const further = Array.from({ length: 200 }, async () => ask(router, QUESTION));
  // Side by side with those that wait, one after the other on its only connection.
  for (let i = 0; i < 5; i += 1) expect((await complete(router, REQUEST)).status).toBe(200);
  for (const answer of await Promise.all(further)) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', code: 'overloaded' });
  }
  expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(1_495);
  expect(chutes.count(PATH)).toBe(CONNECTIONS);

  leaving.abort();
  await ended;
  chutes.feed('evidence', 'normal');
  expect((await ask(router, QUESTION)).status).not.toBe(503);
});

test('EVD-13: completions that have all of theirs busy leave evidence its own', async () => {
  chutes.behave(REQUEST.model, 'silent');
  const waiting = complete(router, REQUEST, { signal: leaving.signal });
  await chutes.nextRequest();
  chutes.feed('evidence', { kind: 'body', body: '{"evidence":[]}' });
  expect((await ask(router, QUESTION)).text).toBe('{"evidence":[]}');
  leaving.abort();
  await expect(waiting).rejects.toThrow('aborted');
});
