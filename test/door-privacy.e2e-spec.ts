import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Behaviour, NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { clientKey } from '../src/sticky/client-key.js';
import { keyedHash } from '../src/sticky/keyed-hash.js';
import { canariesIn, CANARY, CANARY_LINES, canaryRequest } from './support/canaries.js';
import { failOnce } from './support/fail-once.js';
import { RawClient } from './support/raw-client.js';
import { startRouter, type TestRouter } from './support/router.js';
import { toldBy } from './support/told-by.js';

const ALIAS = 'chutesai/AutoPilot';
const SECRET = 'a secret of the test';
/** Those of a client of Anthropic's, which has no bearer token. */
const LINES = CANARY_LINES.filter((line) => !/^(?:authorization|x-session-id):/.test(line));

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await ChutesSimulator.start();
  chutes.models = ['a/first', 'b/second'];
  chutes.utilization = ['a/first', 'b/second'];
  router = await startRouter(chutes, {
    LOG_LEVEL: 'trace',
    STICKY_HASH_SECRET: SECRET,
    REQUEST_BODY_TIMEOUT_MS: '1000',
    UPSTREAM_PATIENT_TIMEOUT_MS: '1000',
    UPSTREAM_IDLE_TIMEOUT_MS: '500',
  });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

afterEach(() => {
  chutes.behave('*', 'normal');
});

async function send(bytes: string): Promise<string> {
  const client = await RawClient.open(router.port, bytes);
  await client.ended;
  return client.received.toString();
}

describe.each(['/v1/responses', '/v1/messages', '/v1/messages/count_tokens'])('at %s', (path) => {
  const request = (model: string, stream = true) => canaryRequest(model, stream, { path, lines: LINES });
  const misbehaving = async (behaviour: Behaviour | NamedKind) => {
    chutes.behave('*', behaviour);
    return send(request('a/first'));
  };

  test('DOR-6: the key does arrive', async () => {
    expect(await send(request(ALIAS))).toMatch(/^HTTP\/1\.1 200/);
    expect(chutes.generations.at(-1)?.headers['x-api-key']).toBe(CANARY.apiKey);
  });

  test.each<[string, () => Promise<string>]>([
    ['an answer', () => send(request(ALIAS))],
    ['an answer by the pin', () => send(request(ALIAS, false))],
    [
      'a dry run',
      () => send(request(ALIAS).replace('Connection', 'x-chutes-autopilot-dry-run: true\r\nConnection')),
    ],
    ['a 503 of all models', () => misbehaving('unavailable')],
    ['a stream that is cut', () => misbehaving('cut-stream')],
    ['a stream that falls silent', () => misbehaving('stall')],
    ['an upstream that resets', () => misbehaving('reset')],
    ['an upstream that is silent', () => misbehaving('silent')],
    [
      'an upstream that sends the request back as its head',
      () =>
        misbehaving({
          kind: 'scripted',
          script: async (exchange) => exchange.raw(`${exchange.request.rawHeaders.join('\r\n')}\r\n\r\n`),
        }),
    ],
    ['an unknown model', () => send(request('nobody'))],
    ['JSON that breaks off', () => send(request('a/first').replace('"messages"', ' messages '))],
    ['an upload that takes too long', () => send(request('a/first').slice(0, -1))],
    ['a header that is none', () => send(request('a/first').replace('Connection', 'no colon\r\nConnection'))],
    [
      'a framing that is ambiguous',
      () => send(request('a/first').replace('Connection', 'Transfer-Encoding: chunked\r\nConnection')),
    ],
    [
      'headers that are too large',
      () => send(request('a/first').replace('Connection', `X: ${'x'.repeat(40_000)}\r\nConnection`)),
    ],
    ['a wrong method', () => send(request('a/first').replace('POST', 'PUT'))],
    ['a path below it', () => send(request('a/first').replace('?', '/nowhere?'))],
    [
      'a failure that nothing expected',
      async () => {
        failOnce(
          router,
          Object.assign(new TypeError(CANARY.apiKey), { headers: { 'x-api-key': CANARY.apiKey } }),
        );
        return send(request('a/first'));
      },
    ],
  ])('DOR-6: it shows neither in logs nor in metrics nor in the answer, of %s', async (_, act) => {
    const answer = await act();
    expect(answer).toMatch(/^HTTP\/1\.1 \d/);
    expect(canariesIn(answer)).toEqual([]);
    expect(canariesIn(await toldBy(router))).toEqual([]);
  });

  test('DOR-6: nor does what is kept in its place', async () => {
    await send(request(ALIAS));
    const identity = {
      authorization: undefined,
      apiKey: CANARY.apiKey,
      address: () => '',
      session: undefined,
    };
    const hash = clientKey(keyedHash(SECRET), identity, ALIAS);
    expect(await toldBy(router)).not.toContain(hash);
  });
});
