import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chutesWith } from './support/chutes-with.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith(['a/first', 'b/second'], { utilization: ['a/first'] });
  router = await startRouter(chutes, {
    MODELS_REFRESH_MS: '30',
    CORS_ALLOWED_ORIGINS: 'https://app.test',
  });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return fetch(router.url + path, { method, headers });
}

test.each(['/v1/models', '/v1/models/a/first', '/v1/models/chutesai%2FAutoPilot'])(
  'RTE-27, RTE-11: %s is sent once to whoever names its tag',
  async (path) => {
    const first = await get(path);
    const etag = first.headers.get('etag') ?? '';
    const body = await first.text();
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(first.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));

    const known = await get(path, { 'if-none-match': `"x", W/${etag}`, origin: 'https://app.test' });
    expect([known.status, known.headers.get('etag'), await known.text()]).toEqual([304, etag, '']);
    expect(known.headers.get('access-control-allow-origin')).toBe('https://app.test');
    expect(known.headers.get('x-request-id')).toMatch(/./);
    expect((await get(path, { 'if-none-match': '"x"' })).status).toBe(200);

    const head = await get(path, {}, 'HEAD');
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    expect(head.headers.get('content-length')).toBe(first.headers.get('content-length'));
    expect((await get(path, { 'if-none-match': etag }, 'HEAD')).status).toBe(304);
  },
);

test('RTE-27: a tag is good until the list changes', async () => {
  const etag = (await get('/v1/models')).headers.get('etag') ?? '';
  const fetched = chutes.count('/v1/models');
  await eventually(() => chutes.count('/v1/models') > fetched + 1);
  expect((await get('/v1/models', { 'if-none-match': etag })).status).toBe(304);
  chutes.models = ['a/first', 'c/third'];
  await eventually(async () => (await get('/v1/models', { 'if-none-match': etag })).status === 200);
});

test('RTE-27: an id that is not known is 404, whatever tag is named', async () => {
  expect((await get('/v1/models/nobody', { 'if-none-match': '*' })).status).toBe(404);
});

test('RTE-27, RTE-18: a 304 ends where the next answer begins', async () => {
  const ask = `GET /v1/models HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n`;
  const client = await RawClient.open(router.port, ask.repeat(2));
  expect([(await client.response()).status, (await client.response()).status]).toEqual([304, 304]);
  client.close();
});
