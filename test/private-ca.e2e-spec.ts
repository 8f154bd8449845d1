import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { privateAuthority } from '../src/simulator/self-signed.js';
import { ConnectProxy } from './support/connect-proxy.js';
import { buildRouter, killProcesses, type RouterProcess, startProcess } from './support/process.js';
import { type Env, environmentFor, eventually } from './support/router.js';

const authority = privateAuthority(new Date());

let folder: string;
let chutes: ChutesSimulator;
let proxy: ConnectProxy;
let secureProxy: ConnectProxy;
/** The variable that makes Node believe the authority. */
let believing: Env;

beforeAll(async () => {
  await buildRouter();
  folder = await mkdtemp(join(tmpdir(), 'private-ca-'));
  believing = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
  await writeFile(join(folder, 'ca.pem'), authority.cert);
  chutes = await ChutesSimulator.start({ tls: authority.issue('localhost') });
  chutes.models = ['first'];
  chutes.utilization = ['first'];
  proxy = await ConnectProxy.start();
  secureProxy = await ConnectProxy.start(authority.issue('localhost'));
}, 60_000);

afterEach(killProcesses);

afterAll(async () => {
  await chutes.close();
  await proxy.close();
  await secureProxy.close();
  await rm(folder, { recursive: true });
});

async function start(env: Env): Promise<RouterProcess> {
  return startProcess({ ...environmentFor(chutes.url), ...env });
}

async function complete(router: RouterProcess): Promise<unknown> {
  const body = JSON.stringify({ model: 'first' });
  const answer = await fetch(`${await router.url}/v1/chat/completions`, { method: 'POST', body });
  return answer.json();
}

async function becomesReady(router: RouterProcess): Promise<void> {
  const url = await router.url;
  await eventually(async () => (await fetch(`${url}/readyz`)).ok);
}

/** Why each feed has failed, once both have. */
async function feedFailures(router: RouterProcess): Promise<unknown[]> {
  const failures = () => router.logs.flatMap(({ reason }) => reason ?? []);
  await eventually(() => failures().length === 2);
  return failures();
}

describe('an upstream whose certificate a private authority has signed', () => {
  test('CFG-11: is reached with NODE_EXTRA_CA_CERTS, feeds included', async () => {
    const router = await start(believing);
    await becomesReady(router);
    expect(await complete(router)).toMatchObject({ model: 'first' });
  });

  test('CFG-11, ATT-7: is not reached without', async () => {
    const router = await start({});
    expect(await feedFailures(router)).toEqual(Array(2).fill('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
    expect(await complete(router)).toMatchObject({ error: { code: 'upstream_connect_error' } });
  });

  test('CFG-11, CFG-41: is reached through a proxy', async () => {
    const router = await start({ ...believing, HTTPS_PROXY: proxy.url });
    await becomesReady(router);
    expect(await complete(router)).toMatchObject({ model: 'first' });
    expect(new Set(proxy.targets)).toEqual(new Set([new URL(chutes.url).host]));
  });

  test('CFG-11, CFG-41: is not reached without, a proxy between or not', async () => {
    const router = await start({ HTTPS_PROXY: proxy.url });
    expect(await feedFailures(router)).toEqual(Array(2).fill('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
    expect(await complete(router)).toMatchObject({ error: { code: 'upstream_connect_error' } });
  });
});

describe('a proxy whose certificate a private authority has signed', () => {
  test('CFG-11: is spoken to with NODE_EXTRA_CA_CERTS', async () => {
    const router = await start({ ...believing, HTTPS_PROXY: secureProxy.url });
    await becomesReady(router);
    expect(await complete(router)).toMatchObject({ model: 'first' });
    expect(secureProxy.targets.length).toBeGreaterThanOrEqual(2);
  });

  test('CFG-11, CFG-10: is not spoken to without', async () => {
    const router = await start({ HTTPS_PROXY: secureProxy.url });
    const reason = 'the proxy failed: UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    expect(await feedFailures(router)).toEqual([reason, reason]);
    expect(await complete(router)).toMatchObject({ error: { code: 'upstream_connect_error' } });
  });
});

describe('variables of the process', () => {
  test('CFG-9: name the proxy in lower case, too, and are not taken by Node itself', async () => {
    const env = { ...believing, https_proxy: proxy.url, NODE_USE_ENV_PROXY: '1' };
    const before = proxy.targets.length;
    const router = await start(env);
    await becomesReady(router);
    expect(await complete(router)).toMatchObject({ model: 'first' });
    const targets = proxy.targets.slice(before);
    expect(new Set(targets)).toEqual(new Set([new URL(chutes.url).host]));
    expect(proxy.others).toEqual([]);
  });
});
