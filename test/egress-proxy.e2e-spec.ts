import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { ask, complete } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { ConnectProxy } from './support/connect-proxy.js';
import { EgressStage, EVIDENCE, HOST } from './support/egress-stage.js';
import { metricsOf } from './support/metrics.js';
import { RawClient } from './support/raw-client.js';

describe.each([
  { upstream: 'http', proxy: 'http' },
  { upstream: 'https', proxy: 'http' },
  { upstream: 'http', proxy: 'https' },
  { upstream: 'https', proxy: 'https' },
] as const)('$upstream through an $proxy proxy', (schemes) => {
  let stage: EgressStage;

  beforeAll(async () => {
    stage = await EgressStage.set(schemes);
  });

  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  test('CFG-9, CFG-41: completions, streams, evidence and feeds go through tunnels', async () => {
    stage.chutes.feed('evidence', { kind: 'body', status: 200, body: '{"evidence":[]}' });
    const router = await stage.route();
    const whole = await complete(router, { model: 'chutesai/AutoPilot' });
    expect(JSON.parse(whole.text)).toMatchObject({ model: 'first' });
    const stream = await complete(router, { model: 'second', stream: true });
    expect(stream.text).toMatch(/^data: \{.*\n\ndata: \[DONE\]\n\n$/s);
    expect((await ask(router, EVIDENCE)).text).toBe('{"evidence":[]}');

    expect(new Set(stage.proxy.targets)).toEqual(new Set([stage.target]));
    expect(stage.proxy.others).toEqual([]);
    expect(stage.chutes.requests.length).toBeGreaterThanOrEqual(5);
    expect(new Set(stage.chutes.requests.map(({ headers }) => headers.host))).toEqual(new Set([HOST]));
  });

  test('CFG-41: a tunnel is used again', async () => {
    const router = await stage.routeAlone();
    for (const model of ['first', 'second']) await complete(router, { model });
    expect(stage.proxy.targets).toEqual([stage.target]);
    expect(stage.chutes.generations).toHaveLength(2);
  });

  test('CFG-42: user and password go to the proxy alone', async () => {
    const router = await stage.route({ ...stage.proxied('me:s%40cr%3Aet@'), LOG_LEVEL: 'trace' });
    await complete(router, { model: 'first' });
    const secret = Buffer.from('me:s@cr:et').toString('base64');
    const sent = stage.proxy.requests.map(({ headers }) => headers['proxy-authorization']);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(new Set(sent)).toEqual(new Set([`Basic ${secret}`]));
    const seen = JSON.stringify([
      stage.chutes.requests.map(({ rawHeaders }) => rawHeaders),
      router.logs,
      (await ask(router, '/metrics')).text,
    ]);
    expect(seen).not.toMatch(/proxy-auth|s@cr|s%40cr/i);
    expect(seen).not.toContain(secret);
  });

  test('CFG-42, HDR-1: a client’s own Proxy-Authorization reaches neither', async () => {
    const router = await stage.routeAlone();
    const headers = ['Proxy-Authorization: Basic Y2xpZW50'];
    const client = await RawClient.open(router.port, chatRequest({ model: 'first', headers }));
    expect((await client.response()).status).toBe(200);
    client.close();
    const proxied = stage.proxy.requests.map((request) => request.headers);
    expect(JSON.stringify([proxied, stage.chutes.generations])).not.toMatch(/proxy-authorization/i);
    expect(proxied).toHaveLength(1);
  });
});

describe('which way', () => {
  let stage: EgressStage;

  beforeAll(async () => {
    stage = await EgressStage.set({ upstream: 'http', proxy: 'http' });
  });

  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  test('CFG-40: what NO_PROXY names is reached without the proxy', async () => {
    const { host } = new URL(stage.chutes.url);
    const router = await stage.route(
      { ...stage.proxied(), NO_PROXY: `a.example,${host}` },
      { upstreamUrl: stage.chutes.url },
    );
    expect((await complete(router, { model: 'first' })).status).toBe(200);
    expect(stage.proxy.targets).toEqual([]);
  });

  test('CFG-40: loopback is no exception by itself', async () => {
    const router = await stage.route(stage.proxied(), { upstreamUrl: stage.chutes.url });
    expect((await complete(router, { model: 'first' })).status).toBe(200);
    expect(new Set(stage.proxy.targets)).toEqual(new Set([new URL(stage.chutes.url).host]));
  });

  test('CFG-40: feeds may go another way than completions', async () => {
    const router = await stage.routeAlone();
    expect((await complete(router, { model: 'first' })).status).toBe(200);
    expect(stage.proxy.targets).toEqual([stage.target]);
  });

  test('CFG-39: HTTPS_PROXY is not for http', async () => {
    const router = await stage.route({ HTTPS_PROXY: stage.proxy.url }, { upstreamUrl: stage.chutes.url });
    expect((await complete(router, { model: 'first' })).status).toBe(200);
    expect(stage.proxy.targets).toEqual([]);
  });

  test('CFG-38: http_proxy wins over HTTP_PROXY', async () => {
    const other = await ConnectProxy.start();
    const router = await stage.route({ HTTP_PROXY: other.url, http_proxy: stage.proxy.url });
    expect((await complete(router, { model: 'first' })).status).toBe(200);
    expect(other.targets).toEqual([]);
    await other.close();
  });

  test('CFG-9: the official client streams through router and proxy', async () => {
    const router = await stage.routeAlone();
    const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'cpk_1', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    const stream = await client.chat.completions.create({ model: 'first,second', messages, stream: true });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    expect(text).toContain('first');
    expect(stage.proxy.targets).toEqual([stage.target]);
    expect((await metricsOf(router)).by('reason', 'failover_reason_total')).toEqual({});
  });
});

test('CFG-54: a proxy whose scheme is not told speaks HTTP', async () => {
  const stage = await EgressStage.set({ upstream: 'https', proxy: 'http' });
  try {
    const router = await stage.route({ HTTPS_PROXY: stage.proxy.urlFor('').replace('http://', '') });
    expect((await complete(router, { model: 'first' })).status).toBe(200);
    expect(new Set(stage.proxy.targets)).toEqual(new Set([stage.target]));
  } finally {
    await stage.clear();
    await stage.close();
  }
});
