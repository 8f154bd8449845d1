import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { transformFile } from '@swc/core';

const SOURCE = import.meta.dirname;
let compiled: string;

beforeAll(async () => {
  compiled = await mkdtemp(join(tmpdir(), 'simulator-'));
  const files = (await readdir(SOURCE)).filter((name) => /^(?!.*\.spec\.ts$).*\.ts$/.test(name));
  await writeFile(join(compiled, 'package.json'), '{"type":"module"}');
  await Promise.all(files.map(compile));
});

afterAll(async () => {
  await rm(compiled, { recursive: true });
});

async function compile(name: string): Promise<void> {
  const { code } = await transformFile(join(SOURCE, name), {
    jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2024' },
    module: { type: 'es6' },
  });
  await writeFile(join(compiled, `${basename(name, '.ts')}.js`), code);
}

function start(...flags: string[]) {
  const child = spawn(process.execPath, [join(compiled, 'simulator-main.js'), ...flags], {
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
