import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { quietPort } from './support/ports.js';
import { buildRouter, killProcesses, startProcess } from './support/process.js';
import { environmentFor, eventually } from './support/router.js';

/** Every write to it fails, as on a full disk. */
const FULL = '/dev/full';

let chutes: ChutesSimulator | undefined;

beforeAll(buildRouter, 120_000);

afterEach(async () => {
  await killProcesses();
  await chutes?.close();
});

test.each([1, 300])(
  'OBS-16: the lines of the last %i requests are out when the process ends',
  async (count) => {
    chutes = await ChutesSimulator.start();
    chutes.models = ['a/first'];
    const env = { LISTEN_ADDR: '127.0.0.1:0', SHUTDOWN_DRAIN_MS: '0' };
    const router = await startProcess({ ...environmentFor(chutes.url), ...env });
    const url = `${await router.url}/v1/chat/completions`;
    await eventually(() => fetch(`${new URL(url).origin}/v1/models`).then(({ ok }) => ok));
    const ids = Array.from({ length: count }, (_, n) => `request-${n}`);
    const body = JSON.stringify({ model: 'a/first', messages: [] });
    for (const id of ids)
      await (await fetch(url, { method: 'POST', headers: { 'x-request-id': id }, body })).text();
    router.kill('SIGTERM');
    expect(await router.ended).toEqual([0, null]);
    const lines = router.logs.filter(({ msg, mode }) => msg === 'request' && mode === 'direct');
    expect(lines.map(({ req_id: id }) => id)).toEqual(ids);
  },
);

(existsSync(FULL) ? describe : describe.skip)('a log that cannot be written', () => {
  test('OBS-31: costs neither an answer nor the orderly end', async () => {
    chutes = await ChutesSimulator.start();
    chutes.models = ['a/first'];
    const port = await quietPort();
    const router = spawn(process.execPath, [await buildRouter()], {
      env: { ...environmentFor(chutes.url), LISTEN_ADDR: `127.0.0.1:${port}` },
      stdio: ['ignore', openSync(FULL, 'w'), 'inherit'],
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(() =>
        fetch(`${url}/v1/models`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      const body = JSON.stringify({ model: 'a/first', messages: [] });
      for (let n = 0; n < 50; n += 1) {
        const { status } = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
        expect(status).toBe(200);
      }
      router.kill('SIGTERM');
      expect(await once(router, 'exit')).toEqual([0, null]);
    } finally {
      router.kill('SIGKILL');
    }
  });
});
