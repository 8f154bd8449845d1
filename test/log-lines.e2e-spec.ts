import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { buildRouter, killProcesses, startProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { environmentFor, eventually, startRouter } from './support/router.js';

const EVIDENCE = `/chutes/b%2Fsecond-TEE/evidence?nonce=${'a'.repeat(64)}`;
const OTHER_PATHS = ['/v1/models', '/healthz', '/metrics', '/nowhere', '/v1/chat/completions'];

let chutes: ChutesSimulator;

beforeAll(buildRouter, 120_000);

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
});

afterEach(async () => {
  await killProcesses();
  await chutes.close();
});

describe('lines', () => {
  test('OBS-16: one at info for each request that counts, none for the others', async () => {
    const router = await startRouter(chutes);
    try {
      const requests: readonly ((id: string) => Promise<unknown>)[] = [
        (id) => complete(router, { model: 'a/first' }, { headers: { 'x-request-id': id } }),
        (id) => complete(router, { model: 'a/first', stream: true }, { headers: { 'x-request-id': id } }),
        (id) => complete(router, 'no JSON', { headers: { 'x-request-id': id } }),
        (id) => ask(router, EVIDENCE, { headers: { 'x-request-id': id } }),
        (id) => ask(router, '/chutes/x/evidence', { headers: { 'x-request-id': id } }),
        async (id) => {
          chutes.behave('a/first', 'cut-stream', { times: 1 });
          const headers = [`X-Request-Id: ${id}`];
          const request = chatRequest({ model: 'a/first', stream: true, headers });
          await (
            await RawClient.open(router.port, request)
          ).ended;
        },
      ];
      for (const [n, send] of requests.entries()) await send(`request-${n}`);
      for (const path of OTHER_PATHS) await ask(router, path);
      await complete(router, { model: 'a/first' }, { headers: { 'x-request-id': 'last' } });

      await eventually(() => router.requestLogs.at(-1)?.['req_id'] === 'last');
      const ids = router.requestLogs.map(({ level, req_id: id }) => `${String(level)} ${String(id)}`);
      const counted = requests.map((_, n) => `info request-${n}`);
      expect(ids.toSorted()).toEqual(['info last', ...counted].toSorted());
    } finally {
      await router.close();
    }
  });

  test('OBS-16: requests that do not count have theirs at debug', async () => {
    const router = await startRouter(chutes, { LOG_LEVEL: 'debug' });
    try {
      const probes = router.requestLogs.length;
      for (const path of OTHER_PATHS) await ask(router, path, { headers: { 'x-request-id': path } });
      await eventually(() => router.requestLogs.length - probes === OTHER_PATHS.length);
      const lines = router.requestLogs.slice(probes);
      expect(lines.map(({ req_id: id, level, status }) => [id, level, status])).toEqual([
        ['/v1/models', 'debug', 200],
        ['/healthz', 'debug', 200],
        ['/metrics', 'debug', 200],
        ['/nowhere', 'debug', 404],
        ['/v1/chat/completions', 'debug', 405],
      ]);
    } finally {
      await router.close();
    }
  });

  test('OBS-15: all that a router writes, from its start to its end, is JSON, a line each', async () => {
    const router = await startProcess({ ...environmentFor(chutes.url), LOG_LEVEL: 'trace' });
    const url = await router.url;
    await fetch(`${url}/v1/models`);
    await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{' });
    router.kill('SIGTERM');
    await router.ended;
    expect(router.stderr).toBe('');
    expect(router.stdout).toMatch(/\n$/);
    expect(router.logs.length).toBeGreaterThan(3);
    for (const line of router.logs) {
      expect(line).toMatchObject({
        level: expect.any(String),
        time: expect.any(String),
        msg: expect.any(String),
      });
    }
    expect(router.logs.filter(({ msg }) => msg === 'request')).toHaveLength(2);
  });

  test('OBS-15: silent is silent', async () => {
    const router = await startRouter(chutes, { LOG_LEVEL: 'silent' });
    await complete(router, { model: 'a/first' });
    await router.close();
    expect(router.logs).toEqual([]);
  });
});
