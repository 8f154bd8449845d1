import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';

const KEY = 'cpk_the-canary-of-this-test';

let simulator: ChutesSimulator;
let captures: string;
beforeEach(async () => {
  simulator = await ChutesSimulator.start({ requireAuth: true });
  captures = join(mkdtempSync(join(tmpdir(), 'verify-live-')), 'captures');
});
afterEach(async () => {
  await simulator.close();
  rmSync(join(captures, '..'), { recursive: true });
});

async function verifyLive(env: Record<string, string> = {}): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, ['--no-warnings', 'test/live/main.ts'], {
    env: {
      CHUTES_API_KEY: KEY,
      CHUTES_LLM_URL: simulator.url,
      CHUTES_API_URL: simulator.url,
      CHUTES_RESPONSES_URL: simulator.url,
      CHUTES_MESSAGES_URL: simulator.url,
      CAPTURES_DIR: captures,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, output };
}

test('LIV-1: without a key it says so and calls nobody', async () => {
  const { code, output } = await verifyLive({ CHUTES_API_KEY: '' });
  expect(code).toBe(2);
  expect(output).toContain('CHUTES_API_KEY');
  expect(simulator.requests).toHaveLength(0);
});

test('LIV-2, LIV-3: makes nine calls, and finds them as expected', async () => {
  const { code, output } = await verifyLive();
  expect(output).not.toContain('✗');
  expect(output.match(/^✓/gm)).toHaveLength(9);
  expect(code).toBe(0);
  expect(simulator.requests).toHaveLength(9);
  expect(simulator.generations.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer cpk_invalid',
    undefined,
    `Bearer ${KEY}`,
    `Bearer ${KEY}`,
    `Bearer ${KEY}`,
    `Bearer ${KEY}`,
  ]);
  expect(simulator.generations.map(({ pathname }) => pathname).slice(2)).toEqual([
    '/v1/chat/completions',
    '/v1/responses',
    '/v1/messages',
    '/v1/messages/count_tokens',
  ]);
});

test('LIV-4: keeps what it saw', async () => {
  await verifyLive();
  const files = readdirSync(captures);
  expect(files).toHaveLength(9);
  for (const file of files) {
    const capture = readFileSync(join(captures, file), 'utf8');
    expect(Object.keys(JSON.parse(capture) as object)).toEqual(['url', 'status', 'contentType', 'body']);
    expect(capture).not.toContain(KEY);
  }
});

test('LIV-3: a call that differs is marked and makes the exit code 1', async () => {
  simulator.feed('utilization', 'html');
  const { code, output } = await verifyLive();
  expect(output).toMatch(/^✗ utilization/m);
  expect(code).toBe(1);
});

test('LIV-5: an answer that has the key in it is neither written nor printed', async () => {
  simulator.behave('*', { kind: 'status', status: 200, body: JSON.stringify({ choices: [], echo: KEY }) });
  const { code, output } = await verifyLive();
  expect(output).toMatch(/^✗ one tiny completion .*refused/m);
  expect(output).not.toContain(KEY);
  expect(existsSync(join(captures, 'one_tiny_completion.json'))).toBe(false);
  expect(code).toBe(1);
});
