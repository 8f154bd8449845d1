import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { isSameClient } from './support/caller.js';
import { chutesWith } from './support/chutes-with.js';
import { type Env, startRouter, type TestRouter } from './support/router.js';

const [A, B] = ['m/a', 'm/b'] as const;
const LIST = `${A},${B}`;
/** Where a client comes from, and another one. */
const CLIENT = '203.0.113.1';
const OTHER = '203.0.113.2';

type Headers = Readonly<Record<string, string>>;

let chutes: ChutesSimulator;
const routers: TestRouter[] = [];

beforeAll(async () => {
  chutes = await chutesWith([A, B]);
});

afterEach(async () => {
  await Promise.all(routers.splice(0).map((router) => router.close()));
});

afterAll(async () => {
  await chutes.close();
});

describe('a peer that is trusted', () => {
  test.each([
    ['another address', CLIENT, OTHER, false],
    ['the same address', CLIENT, CLIENT, true],
    ['something made up before it', CLIENT, `${OTHER}, ${CLIENT}`, true],
    ['nonsense before it', CLIENT, `unknown, <script>, ${CLIENT}`, true],
    ['a trusted proxy behind it', CLIENT, `${CLIENT}, 10.1.2.3`, true],
    ['two trusted proxies behind it', CLIENT, `${OTHER},${CLIENT}, 10.1.2.3 ,10.255.0.1`, true],
    ['a trusted proxy written as IPv6', CLIENT, `${CLIENT}, ::ffff:10.1.2.3`, true],
    ['a trusted proxy in IPv6', CLIENT, `${CLIENT}, fd00::7`, true],
    ['a proxy behind it that is not trusted', CLIENT, `${CLIENT}, 198.51.100.7`, false],
    ['a proxy not trusted, seen by a trusted one', CLIENT, `${CLIENT}, 198.51.100.7, 10.1.2.3`, false],
    ['an address of IPv6', '2001:db8::1', '2001:db8::2', false],
    ['the same address of IPv6', '2001:db8::1', `${OTHER}, 2001:db8::1, fd00::7`, true],
  ])(
    'STK-17: the client is the rightmost one that is no trusted proxy: %s',
    async (_, pinned, asking, same) => {
      const router = await startTrusting('127.0.0.1, 10.0.0.0/8, fd00::/8');
      expect(await isSame(router, { 'x-forwarded-for': pinned }, { 'x-forwarded-for': asking })).toBe(same);
    },
  );

  test.each([
    ['an address', `${CLIENT}:51234`, `${CLIENT}:51235`, true],
    ['an address, or not', `${CLIENT}:51234`, CLIENT, true],
    ['another address', `${CLIENT}:51234`, `${OTHER}:51234`, false],
    ['an address of IPv6', '[2001:db8::1]:51234', '"[2001:db8::1]:51235"', true],
    ['a trusted proxy', `${CLIENT}:51234`, `${CLIENT}:51234, 10.1.2.3:443`, true],
  ])('STK-34: a port behind %s does not count', async (_, pinned, asking, same) => {
    const router = await startTrusting('127.0.0.1, 10.0.0.0/8');
    expect(await isSame(router, { 'x-forwarded-for': pinned }, { 'x-forwarded-for': asking })).toBe(same);
  });

  test.each([
    '127.0.0.1',
    '127.0.0.0/8',
    '::ffff:127.0.0.1',
    '::ffff:127.0.0.0/104',
    'fd00::/8,127.0.0.1/32',
  ])('STK-17: may be given as %s', async (cidrs) => {
    expect(await tellsClientsApart(await startTrusting(cidrs))).toBe(true);
  });

  test('STK-17: may come over an IPv6 socket with its IPv4 address', async () => {
    const router = await startTrusting('127.0.0.0/8', { LISTEN_ADDR: '[::ffff:127.0.0.1]:0' });
    expect(await tellsClientsApart(router)).toBe(true);
  });

  test('STK-12, STK-17: a bearer token counts more than any address', async () => {
    const router = await startTrusting('127.0.0.1');
    const token = { authorization: 'Bearer cpk' };
    const [one, other] = [{ 'x-forwarded-for': CLIENT }, { 'x-forwarded-for': OTHER }];
    expect(await isSame(router, { ...token, ...one }, { ...token, ...other })).toBe(true);
  });

  test.each(['x-real-ip', 'forwarded', 'x-client-ip', 'cf-connecting-ip'])(
    'STK-17: no other header names the address: %s',
    async (name) => {
      const router = await startTrusting('127.0.0.1');
      const from = (address: string) => ({ 'x-forwarded-for': CLIENT, [name]: address });
      expect(await isSame(router, from(CLIENT), from(OTHER))).toBe(true);
    },
  );
});

describe('a peer that is not', () => {
  test.each(['10.0.0.0/8', '127.0.0.2', '::1', '::ffff:10.0.0.0/104'])(
    'STK-18: is the client, whatever it says, where only %s is trusted',
    async (cidrs) => {
      expect(await tellsClientsApart(await startTrusting(cidrs))).toBe(false);
    },
  );

  test('STK-16: nor is any, where trust is off', async () => {
    const router = await start({ TRUSTED_PROXY_CIDRS: '127.0.0.1' });
    expect(await tellsClientsApart(router)).toBe(false);
  });
});

async function isSame(router: TestRouter, pinned: Headers, asking: Headers): Promise<boolean> {
  return isSameClient(chutes, router, LIST, pinned, asking);
}

async function tellsClientsApart(router: TestRouter): Promise<boolean> {
  return !(await isSame(router, { 'x-forwarded-for': CLIENT }, { 'x-forwarded-for': OTHER }));
}

async function startTrusting(cidrs: string, env: Env = {}): Promise<TestRouter> {
  return start({ TRUST_PROXY_HEADERS: 'true', TRUSTED_PROXY_CIDRS: cidrs, ...env });
}

async function start(env: Env): Promise<TestRouter> {
  const router = await startRouter(chutes, env);
  routers.push(router);
  return router;
}
