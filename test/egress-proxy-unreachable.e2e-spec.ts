import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '../src/simulator/self-signed.js';
import { complete, errorOf } from './support/ask.js';
import { closedPort } from './support/ports.js';
import { ConnectProxy } from './support/connect-proxy.js';
import { EgressStage } from './support/egress-stage.js';
import { RawUpstream } from './support/raw-upstream.js';
import type { Env, TestRouter } from './support/router.js';

describe('a proxy that cannot be spoken to', () => {
  let stage: EgressStage;

  beforeAll(async () => {
    stage = await EgressStage.set({ upstream: 'https', proxy: 'https' });
  });

  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  async function route(env: Env): Promise<TestRouter> {
    return stage.routeAlone({ UPSTREAM_CONNECT_TIMEOUT_MS: '60000', ...env });
  }

  async function codeWith(env: Env): Promise<string> {
    return errorOf(await complete(await route(env), { model: 'first,second' })).code;
  }

  test('CFG-10: because its port is closed', async () => {
    const HTTPS_PROXY = `http://127.0.0.1:${await closedPort()}`;
    expect(await codeWith({ HTTPS_PROXY })).toBe('upstream_connect_error');
  });

  test('CFG-10: because nobody knows its name', async () => {
    expect(await codeWith({ HTTPS_PROXY: 'http://proxy.invalid' })).toBe('upstream_connect_error');
  });

  test('CFG-10: because it speaks no TLS', async () => {
    const plain = await ConnectProxy.start();
    const HTTPS_PROXY = plain.url.replace('http:', 'https:');
    expect(await codeWith({ HTTPS_PROXY })).toBe('upstream_connect_error');
    await plain.close();
  });

  test('CFG-10: because its TLS never begins', async () => {
    const mute = await RawUpstream.start();
    mute.onConnection = () => true;
    const env = { HTTPS_PROXY: mute.url.replace('http:', 'https:'), UPSTREAM_CONNECT_TIMEOUT_MS: '200' };
    expect(await codeWith(env)).toBe('upstream_connect_error');
    expect(mute.connections).toHaveLength(2);
    for (const connection of mute.connections) await connection.closed;
    await mute.close();
  });

  test('CFG-10: because nobody vouches for it', async () => {
    const stranger = await ConnectProxy.start(selfSigned(new Date()));
    expect(await codeWith({ HTTPS_PROXY: stranger.url })).toBe('upstream_connect_error');
    expect(stranger.targets).toEqual([]);
    await stranger.close();
  });

  test('CFG-10: because its certificate is for another name, be it the upstream’s', async () => {
    const HTTPS_PROXY = stage.proxy.url.replace('127.0.0.1', '0.0.0.0');
    expect(await codeWith({ HTTPS_PROXY })).toBe('upstream_connect_error');
    expect(stage.proxy.targets).toEqual([]);
  });

  test('CFG-41: though it is trusted, the upstream’s own certificate counts', async () => {
    const router = await route(stage.proxied());
    stage.trustProxyAlone();
    const answer = await complete(router, { model: 'first,second' });
    expect(errorOf(answer).code).toBe('upstream_connect_error');
    expect(stage.proxy.targets).toEqual([stage.target, stage.target]);
  });
});
