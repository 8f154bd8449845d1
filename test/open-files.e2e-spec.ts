import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chutesWith } from './support/chutes-with.js';
import { killProcesses, startProcess } from './support/process.js';
import { environmentFor, type Env, type LogLine } from './support/router.js';

jest.setTimeout(60_000);

const describeLinux = process.platform === 'linux' ? describe : describe.skip;
const MAX_FILES = 1_000;

let chutes: ChutesSimulator;

beforeAll(async () => {
  chutes = await chutesWith(['a/one']);
});

afterEach(killProcesses);
afterAll(async () => chutes.close());

/** What a process warns of that may have so many files open. */
async function warnings(env: Env): Promise<LogLine[]> {
  const router = await startProcess({ ...environmentFor(chutes.url), ...env }, [], `ulimit -n ${MAX_FILES}`);
  expect((await fetch(`${await router.url}/healthz`)).ok).toBe(true);
  return router.logs.filter(({ level }) => level === 'warn');
}

describeLinux('a process that may have 1,000 files open', () => {
  test('CFG-70: says so at its start where all connections take more, and serves', async () => {
    const [warning, ...others] = await warnings({
      MAX_CLIENT_CONNECTIONS: '900',
      UPSTREAM_MAX_CONNECTIONS: '100',
    });
    expect(others).toEqual([]);
    // Besides the connections: 29 listeners, and 64 for all else.
    expect(warning).toMatchObject({
      limit: MAX_FILES,
      needed: 1_093,
      msg: 'too few open files for all connections',
    });
  });

  test('CFG-70: says nothing where they are enough', async () => {
    expect(await warnings({ MAX_CLIENT_CONNECTIONS: '500', UPSTREAM_MAX_CONNECTIONS: '100' })).toEqual([]);
  });
});
