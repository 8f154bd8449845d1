import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Behaviour } from '../src/simulator/faults/misbehaviour.js';
import { clientKey } from '../src/sticky/client-key.js';
import { keyedHash } from '../src/sticky/keyed-hash.js';
import { ask, complete } from './support/ask.js';
import { canariesIn, CANARY, CANARY_HEADERS, CANARY_LINES, canaryRequest } from './support/canaries.js';
import { chutesWith } from './support/chutes-with.js';
import { failOnce } from './support/fail-once.js';
import { metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';
import { toldBy } from './support/told-by.js';

const ALIAS = 'chutesai/AutoPilot';
const SECRET = 'a secret of the test';
const NONCE = 'a'.repeat(64);
const EVIDENCE = `/chutes/b%2Fsecond-TEE/evidence?nonce=${NONCE}&q=${CANARY.query}`;

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
  router = await startRouter(chutes, {
    LOG_LEVEL: 'trace',
    TRUST_PROXY_HEADERS: 'true',
    TRUSTED_PROXY_CIDRS: '127.0.0.0/8',
    STICKY_HASH_SECRET: SECRET,
    MAX_REQUEST_BYTES: '2000',
    REQUEST_BODY_TIMEOUT_MS: '1000',
    UPSTREAM_HEADER_TIMEOUT_MS: '500',
    UPSTREAM_PATIENT_TIMEOUT_MS: '1000',
    UPSTREAM_IDLE_TIMEOUT_MS: '1000',
  });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

afterEach(() => {
  chutes.behave('*', 'normal');
  chutes.feed('evidence', 'normal');
});

/** Sends every canary there is, and returns the answer. */
async function sendAll(model: string, stream = false): Promise<string> {
  const body = { model, stream, user: CANARY.prompt, messages: [{ role: 'user', content: CANARY.prompt }] };
  const path = `/v1/chat/completions?q=${CANARY.query}`;
  return (await complete(router, body, { path, headers: CANARY_HEADERS })).text;
}

/** Sends bytes, and returns what comes back until the connection is over. */
async function sendRaw(bytes: string): Promise<string> {
  const client = await RawClient.open(router.port, bytes);
  await client.ended;
  return client.received.toString();
}

async function misbehaving(behaviour: Behaviour, model: string, stream = false): Promise<string> {
  chutes.behave('*', behaviour);
  return sendAll(model, stream);
}

const SUCCESSES: Readonly<Record<string, () => Promise<unknown>>> = {
  'an alias': () => sendAll(ALIAS),
  'an alias, by the pin': () => sendAll(ALIAS),
  'a list': () => sendAll('b/second-TEE, a/first'),
  'a direct model': () => sendAll('a/first'),
  'a stream': () => sendAll('a/first', true),
  evidence: () => ask(router, EVIDENCE, { headers: CANARY_HEADERS }),
};

const RELAYED_FAILURES: Readonly<Record<string, () => Promise<unknown>>> = {
  'a 429': () => misbehaving({ kind: 'rate-limited' }, 'a/first'),
  'a 401 that repeats the token': () =>
    misbehaving({ kind: 'status', status: 401, body: CANARY.token }, 'a/first'),
  'a 503 of every candidate': () => misbehaving({ kind: 'unavailable' }, ALIAS),
  'a stream that is cut': () => {
    chutes.behave('*', 'cut-stream');
    return sendRaw(canaryRequest('a/first', true));
  },
  'a stream that falls silent': () => {
    chutes.behave('*', 'stall');
    return sendRaw(canaryRequest('a/first', true));
  },
  'an unframed error that repeats the prompt': () => {
    const body = `data: {}\n\n{"error":"${CANARY.prompt}"}`;
    const headers = { 'content-type': 'text/event-stream' };
    return misbehaving({ kind: 'status', status: 200, headers, body }, 'a/first', true);
  },
  'a client that leaves while it waits': async () => {
    chutes.behave('*', 'silent');
    const before = chutes.count();
    const client = await RawClient.open(router.port, canaryRequest('a/first', false));
    await eventually(() => chutes.count() > before);
    client.close();
  },
  'a client that leaves its stream': async () => {
    chutes.behave('*', 'stall');
    const client = await RawClient.open(router.port, canaryRequest('a/first', true));
    await client.receives('data: ');
    client.close();
  },
  'a client that leaves its upload': async () => {
    const client = await RawClient.open(router.port, canaryRequest('a/first', true).slice(0, -1));
    await eventually(async () => (await metricsOf(router)).value('requests_active') === 1);
    client.reset();
  },
};

/** Those answered with an error of the router's own, which must hold no canary either. */
const OWN_ERRORS: Readonly<Record<string, () => Promise<string>>> = {
  'JSON that breaks off': async () =>
    (await complete(router, `{"model":"${CANARY.model}","x":"${CANARY.prompt}`, { headers: CANARY_HEADERS }))
      .text,
  'a name that is too long': () => sendAll(CANARY.model.padEnd(300, '-')),
  'a list that is too long': () => sendAll(Array.from({ length: 9 }, (_, n) => CANARY.model + n).join(',')),
  'a body that is too large': () => sendAll('x'.repeat(3000)),
  'an encoding that is not supported': async () => {
    const headers = { ...CANARY_HEADERS, 'content-encoding': CANARY.header };
    return (await complete(router, CANARY.prompt, { headers })).text;
  },
  'an upload that takes too long': () => sendRaw(canaryRequest('a/first', false).slice(0, -1)),
  'an upstream that resets': () => misbehaving({ kind: 'reset' }, ALIAS),
  'an upstream that is silent': () => misbehaving({ kind: 'silent' }, ALIAS, true),
  'an upstream that sends the request back': () =>
    misbehaving(
      {
        kind: 'scripted',
        script: (exchange) => exchange.raw(Buffer.concat([exchange.request.body, Buffer.from('\r\n\r\n')])),
      },
      'a/first',
    ),
  'an upstream that sends no body': () => misbehaving({ kind: 'empty-body' }, 'a/first'),
  'an upstream that breaks before the first byte': () =>
    misbehaving({ kind: 'reset-after-headers' }, 'a/first'),
  'evidence with a bad nonce': async () =>
    (await ask(router, `/chutes/x/evidence?nonce=${CANARY.query}`, { headers: CANARY_HEADERS })).text,
  'evidence of an unknown model': async () =>
    (await ask(router, EVIDENCE.replace('b%2Fsecond-TEE', encodeURIComponent(CANARY.model)))).text,
  'evidence from an upstream that resets': async () => {
    chutes.feed('evidence', 'reset');
    return (await ask(router, EVIDENCE, { headers: CANARY_HEADERS })).text;
  },
  'an unknown entry of the model list': async () =>
    (await ask(router, `/v1/models/${CANARY.model}?q=${CANARY.query}`, { headers: CANARY_HEADERS })).text,
  'an unknown path': async () =>
    (await ask(router, `/${CANARY.query}?${CANARY.query}`, { headers: CANARY_HEADERS })).text,
  'a path that cannot be decoded': async () =>
    (await ask(router, `/%zz/${CANARY.query}`, { headers: CANARY_HEADERS })).text,
  'a wrong method': async () =>
    (await ask(router, `/v1/models?${CANARY.query}`, { headers: CANARY_HEADERS, method: 'DELETE' })).text,
  'a request that is no HTTP': () =>
    sendRaw(`POST /${CANARY.query} HTTP/1.1\r\n${CANARY_LINES.join('\r\n')}\r\nno colon\r\n\r\n`),
  'headers that are too large': () =>
    sendRaw(`GET / HTTP/1.1\r\n${CANARY_LINES.join('\r\n')}\r\nX: ${CANARY.header.repeat(4000)}\r\n\r\n`),
  'a failure that nothing expected': () => {
    const error = new TypeError(
      `Cannot read ${CANARY.prompt}\n    at ${CANARY.token} (file:///${CANARY.model})`,
    );
    failOnce(router, Object.assign(error, { cause: new Error(CANARY.cookie), body: CANARY.prompt }));
    return sendAll(ALIAS);
  },
  'something thrown that is no error': () => {
    failOnce(router, CANARY.prompt);
    return sendAll(ALIAS);
  },
};

describe('nothing of a client shows', () => {
  test('OBS-21, OBS-22: the canaries that are looked for do arrive', async () => {
    await sendAll('a/first');
    const { rawHeaders, path, body } = await chutes.nextRequest();
    const arrived = canariesIn([...rawHeaders, path, body.toString()].join('\n'));
    expect(arrived).toEqual(['apiKey', 'header', 'prompt', 'query', 'session', 'token', 'userAgent']);
  });

  test.each(Object.keys(SUCCESSES))('OBS-21, OBS-22: neither in logs nor in metrics, of %s', async (name) => {
    const before = router.requestLogs.length;
    await SUCCESSES[name]?.();
    expect(canariesIn(await toldBy(router))).toEqual([]);
    expect(router.requestLogs.slice(before)).toContainEqual(expect.objectContaining({ status: 200 }));
  });

  test.each(Object.keys(RELAYED_FAILURES))(
    'OBS-21, OBS-22: neither in logs nor in metrics, of %s',
    async (name) => {
      await RELAYED_FAILURES[name]?.();
      expect(canariesIn(await toldBy(router))).toEqual([]);
    },
  );

  test.each(Object.keys(OWN_ERRORS))(
    'OBS-21, ERR-2: neither in logs nor in metrics nor in the error, of %s',
    async (name) => {
      const answer = (await OWN_ERRORS[name]?.()) ?? '';
      expect(answer).toMatch(/"error":\{"message":.*"code":"\w+"\}/);
      expect(canariesIn(answer)).toEqual([]);
      expect(answer).not.toMatch(/\bat .*:\d+/);
      expect(canariesIn(await toldBy(router))).toEqual([]);
    },
  );

  test('OBS-21, OBS-22: an unknown model is named to its client and to nobody else', async () => {
    const answer = await sendAll(CANARY.model);
    expect(canariesIn(answer)).toEqual(['model']);
    expect(canariesIn(await toldBy(router))).toEqual([]);
  });

  test('OBS-21: the hash that pins are kept by, and the address of the connection', async () => {
    await sendAll(ALIAS);
    const identity = {
      authorization: CANARY_HEADERS.authorization,
      address: () => CANARY.address,
      session: CANARY.session,
    };
    const logs = JSON.stringify(router.logs);
    expect(logs).not.toContain(clientKey(keyedHash(SECRET), identity, ALIAS));
    expect(logs).not.toContain('127.0.0.1');
    expect(router.requestLogs.length).toBeGreaterThan(0);
  });
});
