import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { buildRouter } from '../../test/support/process.js';

let main: string;

beforeAll(async () => {
  main = join(dirname(await buildRouter()), 'simulator', 'main.js');
}, 60_000);

function start(...flags: string[]) {
  const child = spawn(process.execPath, [main, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, exit: once(child, 'exit') };
}

describe('the simulator as a process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('SIM-4: prints its URL, ends with 0 on %s', async (signal) => {
    const { child, exit } = start('--port', '0', '--first-token-ms', '60000');
    const output = text(child.stdout);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    const body = JSON.stringify({ model: 'sim/normal' });
    const waiting = fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
    const failure = waiting.catch((error: unknown) => error);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
    expect(await failure).toMatchObject({ message: 'fetch failed' });
    expect((await output).split('\n')).toHaveLength(2);
  });

  test('SIM-4: ends with 1 and one message when told nonsense', async () => {
    const { child, exit } = start('--port', 'x', '--seed', 'y');
    const message = await text(child.stderr);
    expect(await exit).toEqual([1, null]);
    expect(message).toBe('Must be a decimal integer: port, seed.\n');
  });
});
