import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chatRequest } from './support/chat-request.js';
import { codeIn, makeBusy, untilRefused } from './support/lifecycle.js';
import { metricsOf } from './support/metrics.js';
import { buildRouter, killProcesses, startProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { type Env, environmentFor, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(120_000);

const INSIDE = { ADMIN_LISTEN_ADDR: '127.0.0.1:0' };
const PATHS = ['/healthz', '/readyz', '/metrics'];

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
});

afterEach(async () => {
  await router?.close();
  router = undefined;
  await killProcesses();
  await chutes.close();
});

async function start(env: Env = {}): Promise<TestRouter> {
  return (router = await startRouter(chutes, { ...INSIDE, ...env }));
}

async function statusAndCode(url: string, init?: RequestInit): Promise<[status: number, code: unknown]> {
  const response = await fetch(url, init);
  const text = await response.text();
  const body = text.startsWith('{"error"') ? (JSON.parse(text) as { error: { code: string } }) : undefined;
  return [response.status, body?.error.code];
}

describe('paths', () => {
  test('HLT-21: those of the inside are served there, and at the port of the clients there is nothing', async () => {
    const { url, insideUrl } = await start();
    expect(insideUrl).not.toBe(url);
    for (const path of PATHS) {
      expect(await statusAndCode(insideUrl + path)).toEqual([200, undefined]);
      expect((await fetch(insideUrl + path, { method: 'HEAD' })).status).toBe(200);
      expect(await statusAndCode(insideUrl + path, { method: 'POST' })).toEqual([405, 'method_not_allowed']);
    }
    const spellings = [
      ...PATHS,
      '/%68ealthz',
      '/metrics?a=1',
      '/m%65trics',
      '/autopilot',
      '/autopilot/models',
    ];
    for (const path of spellings) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        expect(await statusAndCode(url + path, { method })).toEqual([404, 'not_found']);
      }
      expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(404);
    }
    const absolute = `GET ${url}/metrics HTTP/1.1\r\nHost: x\r\n\r\n`;
    const client = await RawClient.open(Number(new URL(url).port), absolute);
    expect(codeIn(await client.response())).toBe('not_found');
    client.close();
  });

  test('HLT-22: those of the clients are served at theirs, and inside there is nothing', async () => {
    const { url, insideUrl } = await start();
    const completion = { method: 'POST', body: '{"model":"chutesai/AutoPilot","messages":[]}' };
    for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/chat/%63ompletions']) {
      expect((await fetch(url + path, completion)).status).toBe(200);
      expect(await statusAndCode(insideUrl + path, completion)).toEqual([404, 'not_found']);
      expect(await statusAndCode(insideUrl + path)).toEqual([404, 'not_found']);
    }
    expect(await statusAndCode(`${url}/v1/models`)).toEqual([200, undefined]);
    for (const path of ['/v1/models', '/chutes/x/evidence', '/', '/v1/healthz', '/elsewhere']) {
      expect(await statusAndCode(insideUrl + path)).toEqual([404, 'not_found']);
    }
    expect(chutes.count()).toBe(3);
  });

  test('HLT-21: without such a port they are at that of the clients', async () => {
    const { url, insideUrl } = await start({ ADMIN_LISTEN_ADDR: '' });
    expect(insideUrl).toBe(url);
    for (const path of PATHS) expect(await statusAndCode(url + path)).toEqual([200, undefined]);
  });

  test('HLT-22: what is no HTTP is refused there as it is for clients', async () => {
    const { insideUrl } = await start();
    const client = await RawClient.open(Number(new URL(insideUrl).port), 'GET /healthz HTTP/2.0\r\n\r\n');
    expect(await client.response()).toMatchObject({ status: 400 });
    client.close();
  });
});

async function openClients(port: number, length: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length }, async () => RawClient.open(port)));
}

describe('connections', () => {
  test('HLT-23, OBS-32: clients that have all of theirs do not lock out probes', async () => {
    const { insideUrl, port } = await start({ MAX_CLIENT_CONNECTIONS: '40' });
    const clients = await openClients(port, 40);
    const open = async () => (await metricsOf({ url: insideUrl })).value('connections');
    await eventually(async () => (await open()) === 40);
    const refused = await openClients(port, 10);
    await Promise.all(refused.map(async (client) => client.cut));
    for (const path of PATHS) expect((await fetch(insideUrl + path)).status).toBe(200);
    expect(await open()).toBe(40);
    for (const client of clients) client.close();
  });

  test('OBS-34, OBS-36: connections beyond the limit are counted, and it is told', async () => {
    const { insideUrl, port, logs } = await start({ MAX_CLIENT_CONNECTIONS: '40' });
    const scrape = async () => metricsOf({ url: insideUrl });
    const clients = await openClients(port, 40);
    await eventually(async () => (await scrape()).value('connections') === 40);
    expect((await scrape()).value('connections_refused_total')).toBe(0);
    const refused = await openClients(port, 10);
    await Promise.all(refused.map(async (client) => client.cut));
    expect((await scrape()).value('connections_refused_total')).toBe(10);
    expect(logs.filter(({ msg }) => msg === 'refusing connections')).toEqual([
      expect.objectContaining({ level: 'warn', port: 'clients' }),
    ]);
    for (const client of clients) client.close();
  });
});

describe('the end', () => {
  test('HLT-24, HLT-13: probes are answered through drain and grace, until the process ends', async () => {
    await buildRouter();
    const models = makeBusy(chutes);
    const process = await startProcess({ ...environmentFor(chutes.url), ...INSIDE });
    const port = Number(new URL(await process.url).port);
    const inside = String(process.logs.find(({ msg }) => msg === 'listening')?.['admin_url']);
    await eventually(async () => (await fetch(`${inside}/readyz`)).ok);
    const running = await RawClient.open(port, chatRequest({ model: 'a/first', stream: true }));
    await running.receives('data: ');

    process.kill('SIGTERM');
    await untilRefused(port);
    expect(await statusAndCode(`${inside}/healthz`)).toEqual([200, undefined]);
    expect(await statusAndCode(`${inside}/readyz`)).toEqual([503, 'shutting_down']);
    expect((await fetch(`${inside}/metrics`)).status).toBe(200);

    models.release();
    expect(await running.response()).toMatchObject({ status: 200, isComplete: true });
    expect(await process.ended).toEqual([0, null]);
    await untilRefused(Number(new URL(inside).port));
  });

  test('HLT-24: a probe that is never finished does not keep the process', async () => {
    await buildRouter();
    const process = await startProcess({ ...environmentFor(chutes.url), ...INSIDE });
    await process.url;
    const inside = String(process.logs.find(({ msg }) => msg === 'listening')?.['admin_url']);
    const half = await RawClient.open(Number(new URL(inside).port), 'GET /healthz HTTP/1.1\r\nHost:');
    const kept = await RawClient.open(Number(new URL(inside).port));
    process.kill('SIGTERM');
    expect(await process.ended).toEqual([0, null]);
    await Promise.all([half.cut, kept.cut]);
  });
});
