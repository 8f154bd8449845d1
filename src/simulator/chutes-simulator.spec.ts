import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from './chutes-simulator.js';
import { selfSigned } from './self-signed.js';
import type { SimulatorOptions } from './simulator-options.js';

const MODEL = 'Qwen/Qwen3-32B';
const running: ChutesSimulator[] = [];

async function start(options?: SimulatorOptions): Promise<ChutesSimulator> {
  const simulator = await ChutesSimulator.start(options);
  running.push(simulator);
  return simulator;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

async function post(simulator: ChutesSimulator, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
  });
}

/** Timers and TCP handles that keep this process alive. */
function resources(): number {
  return process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name)).length;
}

describe('life', () => {
  test('SIM-1: listens on loopback and a free port', async () => {
    const [one, other] = [await start(), await start()];
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(other.url).not.toBe(one.url);
    expect((await fetch(`${one.url}/v1/models`)).status).toBe(200);
  });

  test('SIM-2: closing drops running exchanges and leaves no timer, socket or server', async () => {
    const before = resources();
    const simulator = await ChutesSimulator.start({ pace: { firstTokenMs: 60_000 } });
    const outgoing = request(`${simulator.url}/v1/chat/completions`, { method: 'POST', agent: false });
    outgoing.end(JSON.stringify({ model: MODEL }));
    const failed = once(outgoing, 'error');
    const recorded = await simulator.nextRequest();
    await simulator.close();
    await failed;
    await once(outgoing, 'close').catch(() => {});
    expect(recorded.ending).toBe('cut');
    expect(simulator.connections).toBe(0);
    expect(resources()).toBeLessThanOrEqual(before);
  });

  test('SIM-3: speaks HTTP/1.1 over TLS, also when it offers HTTP/2', async () => {
    const tls = selfSigned(new Date());
    const simulator = await start({ tls: { ...tls, offersHttp2: true } });
    expect(simulator.url).toMatch(/^https:/);
    const outgoing = tlsRequest(`${simulator.url}/v1/models`, { ca: tls.cert, agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(JSON.parse(await text(response))).toMatchObject({ object: 'list' });
    expect((await simulator.nextRequest('/v1/models')).httpVersion).toBe('1.1');
  });

  test('SIM-3: speaks HTTP/2 to who wants it', async () => {
    const tls = selfSigned(new Date());
    const simulator = await start({ tls: { ...tls, offersHttp2: true } });
    const session = connectHttp2(simulator.url, { ca: tls.cert });
    const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' });
    stream.end(JSON.stringify({ model: 'sim/slow-headers' }));
    simulator.behave('sim/slow-headers', { kind: 'slow-headers', ms: 1 });
    expect(JSON.parse(await text(stream))).toMatchObject({ object: 'chat.completion' });
    session.destroy();
    const recorded = await simulator.nextRequest();
    expect([recorded.httpVersion, recorded.ending]).toEqual(['2.0', 'answered']);
  });

  test('SIM-3: can reset a connection under TLS', async () => {
    const tls = selfSigned(new Date());
    const simulator = await start({ tls });
    const outgoing = tlsRequest(`${simulator.url}/v1/completions`, {
      ca: tls.cert,
      agent: false,
      method: 'POST',
    });
    outgoing.end(JSON.stringify({ model: 'sim/reset' }));
    const [error] = (await once(outgoing, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });
});

describe('records', () => {
  test('SIM-22: a request as it arrived', async () => {
    const simulator = await start();
    const body = '{ "model":\t"sim/normal", "n": 1.0 }';
    const url = `${simulator.url}/v1/completions?a=1&b=%20`;
    const outgoing = request(url, { method: 'POST', headers: { 'X-Odd-Case': 'A  b', Accept: '*/*' } });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    await text(response);
    const recorded = await simulator.nextRequest();
    expect(recorded).toMatchObject({
      method: 'POST',
      path: '/v1/completions?a=1&b=%20',
      pathname: '/v1/completions',
      httpVersion: '1.1',
      model: 'sim/normal',
      stream: false,
    });
    expect(recorded.rawHeaders.slice(0, 4)).toEqual(['X-Odd-Case', 'A  b', 'Accept', '*/*']);
    expect(recorded.body.toString()).toBe(body);
    await expect(recorded.ended).resolves.toBe('answered');
    expect(recorded.endedAtMs).toBeGreaterThan(recorded.arrivedAtMs);
    await expect(recorded.aborted).rejects.toThrow('answered');
  });

  test('SIM-22: tells a client that left, at any time, from one that stayed', async () => {
    const simulator = await start();
    const client = new AbortController();
    const left = post(simulator, { model: 'sim/silent' }, { signal: client.signal });
    const recorded = await simulator.nextRequest();
    expect([recorded.ending, recorded.isAborted]).toEqual(['open', false]);
    client.abort();
    await expect(left).rejects.toThrow('aborted');
    await recorded.aborted;
    expect(recorded.isAborted).toBe(true);
    await expect(post(simulator, { model: 'sim/reset' })).rejects.toThrow('fetch failed');
    expect((await simulator.nextRequest()).ending).toBe('cut');
  });

  test('SIM-22: an upload that breaks off is recorded, but does not count as received', async () => {
    const simulator = await start();
    const outgoing = request(`${simulator.url}/v1/completions`, { method: 'POST', agent: false });
    outgoing.on('error', () => {});
    outgoing.write('{"model":', () => {
      setTimeout(() => outgoing.destroy(), 20);
    });
    await new Promise((resolve) => {
      outgoing.once('close', resolve);
    });
    await post(simulator, { model: MODEL });
    expect((await simulator.nextRequest()).model).toBe(MODEL);
    expect(simulator.generations.map(({ isReceived }) => isReceived)).toEqual([false, true]);
    await simulator.generations[0]?.aborted;
  });

  test('SIM-24: counts requests per path, generations together by default', async () => {
    const simulator = await start({ keepRequests: 1 });
    await Promise.all([
      post(simulator, { model: MODEL }),
      post(simulator, {}),
      fetch(`${simulator.url}/v1/models`),
    ]);
    await fetch(`${simulator.url}/v1/models?x=1`);
    expect([simulator.count(), simulator.count('/v1/models'), simulator.count('/nowhere')]).toEqual([
      2, 2, 0,
    ]);
    expect(simulator.requests).toHaveLength(1);
    simulator.reset();
    expect([simulator.count(), simulator.requests.length]).toEqual([0, 0]);
  });
});
