import { writeFile } from 'node:fs/promises';
import { createSecureContext, createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { selfSigned } from '../src/simulator/self-signed.js';
import { clientKey } from '../src/sticky/client-key.js';
import { keyedHash } from '../src/sticky/keyed-hash.js';
import { complete, selectedOf } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { quietPort } from './support/ports.js';
import { closeRedisServers, describeWithRedis, RedisServer } from './support/redis-server.js';
import { afterHandshake, RedisStranger, type Reply } from './support/redis-stranger.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';
import { connected, lookups, redisLogs, SECRET, sharedPins } from './support/shared-pins.js';

const [A, B] = ['m/a', 'm/b'] as const;
const LIST = `${A},${B}`;
const TOKEN = 'cpk_refused';
const HEADERS = { authorization: `Bearer ${TOKEN}` };
const LOST = 'redis lost, going on without pins';
const FAILED = 'redis failed a command';
const SET = ['CONFIG', 'SET'];
/** From a primary that is not there. */
const REPLICATE = ['REPLICAOF', '127.0.0.1', '1'];
const TRUSTED = getCACertificates('default');

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith([A, B]);
});

afterEach(async () => {
  await router.close();
  chutes.behave(A, 'normal', { times: 0 });
  setDefaultCACertificates(TRUSTED);
});

afterAll(async () => chutes.close());

async function start(redisUrl: string, env: Env = {}): Promise<void> {
  router = await startRouter(
    chutes,
    sharedPins(redisUrl, { REDIS_TIMEOUT_MS: '5000', LOG_LEVEL: 'trace', ...env }),
  );
}

/** Sends a request that the second model answers, since the first one fails. */
async function answeredBySecond(): Promise<void> {
  chutes.behave(A, 'unavailable', { times: 1 });
  const answer = await complete(router, { model: LIST }, { headers: HEADERS });
  expect([answer.status, selectedOf(answer)]).toEqual([200, B]);
}

/** Which model answers this client. */
async function answering(): Promise<string | null> {
  const answer = await complete(router, { model: LIST }, { headers: HEADERS });
  expect(answer.status).toBe(200);
  return selectedOf(answer);
}

/** Whether a client is pinned in the end: one that the second model has answered stays with it. */
async function pinsWork(): Promise<boolean> {
  await eventually(async () => {
    await answeredBySecond();
    return (await answering()) === B;
  });
  return true;
}

function expectNoSecrets(...others: readonly string[]): void {
  const logs = JSON.stringify(router.logs);
  const identity = { authorization: HEADERS.authorization, address: () => '', session: undefined };
  for (const secret of [SECRET, TOKEN, clientKey(keyedHash(SECRET), identity, LIST), ...others]) {
    expect(logs).not.toContain(secret);
  }
}

describeWithRedis('a Redis that refuses', () => {
  let redis: RedisServer;

  beforeEach(async () => {
    redis = await RedisServer.start();
  });

  afterEach(async () => redis.close());

  afterAll(closeRedisServers);

  test.each<[string, string, string, string, string[][], string[]]>([
    ['STK-35', 'is read-only', 'READONLY', LOST, [REPLICATE], ['REPLICAOF', 'NO', 'ONE']],
    [
      'STK-35',
      'lacks its primary',
      'MASTERDOWN',
      LOST,
      [[...SET, 'replica-serve-stale-data', 'no'], REPLICATE],
      ['REPLICAOF', 'NO', 'ONE'],
    ],
    [
      'STK-35',
      'lacks replicas',
      'NOREPLICAS',
      LOST,
      [[...SET, 'min-replicas-to-write', '1']],
      [...SET, 'min-replicas-to-write', '0'],
    ],
    ['STK-36', 'is full', 'OOM', FAILED, [[...SET, 'maxmemory', '1']], [...SET, 'maxmemory', '0']],
  ])(
    '%s, STK-31: one that %s costs stickiness until it is not any more',
    async (_clause, _, code, msg, begin, end) => {
      await start(redis.url);
      await connected(router);
      for (const command of begin) await redis.ask(...command);
      for (let i = 0; i < 3; i += 1) {
        await answeredBySecond();
        expect(await answering()).toBe(A);
      }
      const told = redisLogs(router).filter(({ level }) => level !== 'debug');
      expect(told.slice(1)).toMatchObject([{ level: 'warn', reason: code, msg }]);
      await redis.ask(...end);
      expect(await pinsWork()).toBe(true);
      expectNoSecrets();
    },
  );

  test('STK-25, STK-26: at a key of another type lookups fail, and the next 2xx overwrites it', async () => {
    await start(redis.url);
    await connected(router);
    await answeredBySecond();
    await eventually(async () => (await redis.ask('DBSIZE')) === 1);
    const [key = ''] = (await redis.ask('KEYS', '*')) as string[];
    await redis.ask('DEL', key);
    await redis.ask('RPUSH', key, `0 ${B}`);
    expect(await answering()).toBe(A);
    expect(await lookups(router)).toEqual({ miss: 1, error: 1 });
    await eventually(async () => (await redis.ask('TYPE', key)) === 'string');
    expect(await redis.ask('GET', key)).toBe(`0 ${A}`);
  });

  test.each([
    ['without a password', '', 'NOAUTH'],
    ['with a wrong password', ':hunter2@', 'WRONGPASS'],
    ['with a wrong user', 'hunter2:let-me-in@', 'WRONGPASS'],
  ])('STK-25, STK-31: %s', async (_, credentials, code) => {
    const password = 'let-me-in';
    await redis.ask('CONFIG', 'SET', 'requirepass', password);
    await start(redis.url.replace('//', `//${credentials}`));
    await eventually(() => redisLogs(router).length > 0);
    await answeredBySecond();
    expect(await answering()).toBe(A);
    // NOAUTH shows in the handshake already.
    expect(redisLogs(router)[0]).toMatchObject({ level: 'warn', reason: code });
    expectNoSecrets('hunter2', password, '127.0.0.1');
  });

  test('STK-23, CFG-28: user, password and database are those of the URL', async () => {
    const password = 'p@ss/w:rd';
    await redis.ask('ACL', 'SETUSER', 'router', 'on', `>${password}`, '~chutes-autopilot:pin:*', '+@all');
    await start(redis.url.replace('//', `//router:${encodeURIComponent(password)}@`) + '/3');
    expect(await pinsWork()).toBe(true);
    expect(await redis.ask('INFO', 'keyspace')).toMatch(/db3:keys=1/);
    expect(await redis.ask('DBSIZE')).toBe(0);
    expectNoSecrets(password, encodeURIComponent(password));
  });
});

describeWithRedis('rediss', () => {
  const { key, cert } = selfSigned(new Date());
  let redis: RedisServer;
  let tlsPort: number;

  beforeAll(async () => {
    redis = await RedisServer.prepare();
    tlsPort = await quietPort();
    const [keyFile, certFile] = [join(redis.folder, 'key.pem'), join(redis.folder, 'cert.pem')];
    await Promise.all([writeFile(keyFile, key), writeFile(certFile, cert)]);
    await redis.start(
      '--bind',
      '127.0.0.1',
      '127.0.0.2',
      '--tls-port',
      `${tlsPort}`,
      '--tls-key-file',
      keyFile,
      '--tls-cert-file',
      certFile,
      '--tls-auth-clients',
      'no',
    );
  });

  afterAll(closeRedisServers);

  test.each(['127.0.0.1', 'localhost'])('STK-32: is encrypted, to %s', async (host) => {
    setDefaultCACertificates([...TRUSTED, cert]);
    await start(`rediss://${host}:${tlsPort}`);
    expect(await pinsWork()).toBe(true);
  });

  test.each([
    ['a certificate that nobody vouches for', '127.0.0.1', false, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['the certificate of another host', '127.0.0.2', true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('STK-25, STK-32: not with %s', async (_, host, isTrusted, reason) => {
    if (isTrusted) setDefaultCACertificates([...TRUSTED, cert]);
    await start(`rediss://:hunter2@${host}:${tlsPort}`);
    await eventually(() => redisLogs(router).length > 0);
    await answeredBySecond();
    expect(await answering()).toBe(A);
    expect(redisLogs(router)[0]).toMatchObject({ level: 'warn', reason });
    expectNoSecrets('hunter2');
  });
});

test('STK-32: a server with several certificates is told the host', async () => {
  const { key, cert } = selfSigned(new Date());
  const asked = Promise.withResolvers<string>();
  const server = createServer({
    SNICallback: (host, done) => {
      asked.resolve(host);
      done(null, createSecureContext({ key, cert }));
    },
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  await start(`rediss://localhost:${(server.address() as AddressInfo).port}`);
  expect(await asked.promise).toBe('localhost');
  server.close();
});

test.each<[string, Reply]>([
  ['says nothing', () => undefined],
  ['says nothing after the handshake', afterHandshake(() => undefined)],
  ['speaks HTTP', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['speaks HTTP after the handshake', afterHandshake(() => 'HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['hangs up', (_, socket) => void socket.end()],
  ['is still loading', afterHandshake(() => '-LOADING Redis is loading the dataset in memory\r\n')],
  ['answers with numbers', afterHandshake(() => ':1\r\n')],
  ['answers half', afterHandshake(() => '$1000\r\n0 m/b')],
  ['repeats what it hears', (received) => `-ERR what is ${JSON.stringify(received)}\r\n`],
])('STK-25, STK-31: something in place of Redis that %s', async (_, reply) => {
  const stranger = await RedisStranger.start(reply);
  await start(stranger.url.replace('//', '//:hunter2@'), { REDIS_TIMEOUT_MS: '25' });
  await eventually(() => stranger.received.includes('HELLO'));
  await answeredBySecond();
  for (let i = 0; i < 5; i += 1) expect(await answering()).toBe(A);
  expect(await lookups(router)).toEqual({ error: 6 });
  expectNoSecrets('hunter2');
  await stranger.close();
});
