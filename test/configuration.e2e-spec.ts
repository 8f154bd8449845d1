import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readAsked } from '../src/reading/asked.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chuteIdOf } from '../src/simulator/feeds/simulated-models.js';
import { StickyService } from '../src/sticky/sticky.service.js';
import { ask, complete } from './support/ask.js';
import { refreshed, RESTLESS } from './support/feed-watch.js';
import { buildRouter, killProcesses, startProcess } from './support/process.js';
import { environmentFor, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const A_MINUTE_MS = 60_000;

/** The hosts of this machine for itself; a container need not have the second. */
const LOOPBACK = ['127.0.0.1', '[::1]'].filter((host) => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ address }) => host.includes(address));
});

let chutes: ChutesSimulator;
let routers: TestRouter[];

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  routers = [];
});

afterEach(async () => {
  await Promise.all(routers.map((router) => router.close()));
  await chutes.close();
});

async function start(env: Readonly<Record<string, string>>, awaitReady = true): Promise<TestRouter> {
  const router = await startRouter(chutes, env, { awaitReady });
  routers.push(router);
  return router;
}

describe('the built router', () => {
  let occupied: Server;

  beforeAll(async () => {
    await buildRouter();
  }, A_MINUTE_MS);

  beforeEach(async () => {
    occupied = createServer().listen(0, '127.0.0.1');
    await once(occupied, 'listening');
  });

  afterEach(async () => {
    await killProcesses();
    occupied.close();
    await once(occupied, 'close');
  });

  it('CFG-4, HLT-11: ends with exit code 1 and all problems in one message, before it listens', async () => {
    // To listen there would fail, and say so.
    const { port } = occupied.address() as AddressInfo;
    const router = await startProcess({
      ...environmentFor(chutes.url),
      LISTEN_ADDR: `127.0.0.1:${port}`,
      BACKEND_BASE_URL: 'https://me:hunter2@llm.example',
      MODELS_REFRESH_MS: '5s',
      UPSTREAM_RETRYABLE_STATUSES: '429,503',
      LOG_LEVEL: 'loud',
    });
    expect(await router.ended).toEqual([1, null]);
    expect(router.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^The configuration has problems:$/),
      expect.stringMatching(/^- BACKEND_BASE_URL must be /),
      expect.stringMatching(/^- MODELS_REFRESH_MS must be /),
      expect.stringMatching(/^- UPSTREAM_RETRYABLE_STATUSES must be /),
      expect.stringMatching(/^- LOG_LEVEL must be /),
    ]);
    expect(router.stdout).toBe('');
    expect(chutes.requests).toEqual([]);
  });

  it('CFG-5: listens at the very port: where it is taken, it says so and ends with exit code 1', async () => {
    const { port } = occupied.address() as AddressInfo;
    const router = await startProcess({ ...environmentFor(chutes.url), LISTEN_ADDR: `127.0.0.1:${port}` });
    expect(await router.ended).toEqual([1, null]);
    expect(router.stderr).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
  });

  it.each(LOOPBACK)('CFG-5: listens at the host %s', async (host) => {
    const router = await startProcess({ ...environmentFor(chutes.url), LISTEN_ADDR: `${host}:0` });
    const url = await router.url;
    expect(url.slice(0, url.lastIndexOf(':'))).toBe(`http://${host}`);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('where requests go', () => {
  it.each([
    ['', '/v1/chat/completions'],
    ['/', '/v1/chat/completions'],
    ['/v1', '/v1/chat/completions'],
    ['/gateway/v1/', '/gateway/v1/chat/completions'],
    ['/gateway', '/gateway/v1/chat/completions'],
  ])('CFG-6, CFG-7: with "%s" at the end of BACKEND_BASE_URL to %s', async (suffix, path) => {
    const router = await start({ BACKEND_BASE_URL: chutes.url + suffix, MODEL_VALIDATION: 'lenient' });
    await complete(router, { model: 'a/one', messages: [] });
    expect((await chutes.nextRequest(path)).method).toBe('POST');
  });

  it('CFG-8: the feeds and evidence are asked for at their own addresses', async () => {
    chutes.models = ['a/one-TEE'];
    const [models, evidence] = await Promise.all([ChutesSimulator.start(), ChutesSimulator.start()]);
    try {
      const router = await start(
        { MODELS_URL: `${models.url}/v1/models?limit=all`, EVIDENCE_BASE_URL: `${evidence.url}/api/` },
        false,
      );
      expect((await models.nextRequest('/v1/models')).path).toBe('/v1/models?limit=all');
      expect((await chutes.nextRequest('/chutes/utilization')).path).toBe('/chutes/utilization');
      const path = `/chutes/${chuteIdOf('a/one-TEE')}/evidence`;
      await ask(router, `${path}?nonce=${'ab'.repeat(32)}`);
      expect((await evidence.nextRequest(`/api${path}`)).method).toBe('GET');
      expect(chutes.count('/v1/models')).toBe(0);
    } finally {
      await Promise.all([models.close(), evidence.close()]);
    }
  });
});

/** The levels of the lines that a request and a failing feed leave behind. */
async function levelsLogged(env: Readonly<Record<string, string>>): Promise<ReadonlySet<unknown>> {
  const router = await start({ ...RESTLESS, ...env });
  await complete(router, { model: 'chutesai/AutoPilot', messages: [] });
  chutes.feed('models', 'error');
  await refreshed(router, 'models', ['error']);
  return new Set(router.logs.map(({ level }) => level));
}

it.each([
  ['silent', []],
  ['error', []],
  ['warn', ['warn']],
  ['info', ['info', 'warn']],
])('CFG-32: of a request and a failing feed LOG_LEVEL=%s logs %j', async (level, levels) => {
  expect(await levelsLogged({ LOG_LEVEL: level })).toEqual(new Set(levels));
});

describe('the secret that clients are hashed with', () => {
  const request = {
    headers: { authorization: 'Bearer cpk_1' },
    socket: { remoteAddress: '127.0.0.1' },
  } as unknown as IncomingMessage;
  const keysOfTwo = async (env: Readonly<Record<string, string>>) => {
    const both = await Promise.all([start(env), start(env)]);
    const pieces = [Buffer.from('{"model":"chutesai/AutoPilot"}')];
    const asked = readAsked(pieces);
    return both.map(({ app }) => {
      const sticky = app.get(StickyService);
      return sticky.keyOf(sticky.clientOf(request, pieces, asked), asked.model);
    });
  };

  it('CFG-27: is random per start when it is not set', async () => {
    const [one, other] = await keysOfTwo({});
    expect(one).toEqual(expect.any(String));
    expect(one).not.toBe(other);
  });

  it('CFG-27: is the one that is set', async () => {
    const [one, other] = await keysOfTwo({ STICKY_HASH_SECRET: 'pepper' });
    expect(one).toEqual(expect.any(String));
    expect(one).toBe(other);
  });
});
