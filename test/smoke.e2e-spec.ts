import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Report } from './smoke/report.js';
import { buildRouter } from './support/process.js';
import { type Env, eventually, startRouter } from './support/router.js';

const KEY = 'cpk_the-canary-of-this-test';

let folder: string;
let dist: string;
const endings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  dist = dirname(await buildRouter());
}, 60_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoke-'));
});

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  await rm(folder, { recursive: true });
});

function start(flags: readonly string[], env: Env = {}) {
  const args = ['test/smoke/main.ts', '--reports', join(folder, 'reports'), ...flags];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { child, output: '', ended: once(child, 'close') };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (run.output += String(text)));
  endings.push(async () => {
    child.kill('SIGTERM');
    await run.ended;
  });
  return run;
}

async function smoke(
  flags: readonly string[],
  env: Env = {},
): Promise<{ code: unknown; output: string; report: Report }> {
  const run = start(flags, env);
  const [code] = (await run.ended) as unknown[];
  const json = await readFile(join(folder, 'reports', 'latest.json'), 'utf8');
  return { code, output: run.output, report: JSON.parse(json) as Report };
}

/** The groups of the cases with an outcome, each once. */
function groupsOf({ cases }: Report, outcome: string): string[] {
  return [...new Set(cases.filter((one) => one.outcome === outcome).map(({ group }) => group))];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A router whose catalog has no models that misbehave. */
async function startDeployment(): Promise<{ url: string; chutes: ChutesSimulator }> {
  const chutes = await ChutesSimulator.start({ simModels: false });
  endings.push(async () => chutes.close());
  const router = await startRouter(chutes);
  endings.push(async () => router.close());
  return { url: router.url, chutes };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('PRJ-14, PRJ-16: every case holds of the built router, and the reports say so', async () => {
  const { code, output, report } = await smoke(['--dist', dist]);
  expect(output).not.toContain('✗');
  expect(code).toBe(0);
  expect(report).toMatchObject({ failed: 0, skipped: 0 });
  expect(groupsOf(report, 'passed')).toEqual([
    'start',
    'health',
    'models',
    'alias',
    'list',
    'direct',
    'streaming',
    'doors',
    'failover',
    'timeouts',
    'errors',
    'request id',
    'stickiness',
    'metrics',
  ]);
  expect(output.match(/^✓/gm)).toHaveLength(report.passed);

  const files = (await readdir(join(folder, 'reports'))).toSorted();
  const stamp = report.startedAt.replaceAll(':', '-');
  const names = [stamp, 'latest'].flatMap((name) => [`${name}.json`, `${name}.log`, `${name}.md`]);
  expect(files).toEqual(names);
  const markdown = await readFile(join(folder, 'reports', `${stamp}.md`), 'utf8');
  expect(markdown).toMatch(/^# Smoke test: \d+ passed, 0 failed, 0 skipped\n/);
  expect(markdown.match(/^\| ✓ \|/gm)).toHaveLength(report.passed);
}, 60_000);

test('PRJ-15, PRJ-16: a deployment is asked what it can be asked, with the key, which is written nowhere', async () => {
  const { url, chutes } = await startDeployment();
  const env = { SMOKE_BASE_URL: `${url}/v1/`, SMOKE_API_KEY: KEY };
  const { code, output, report } = await smoke(['--skip', 'health,metrics'], env);
  expect(output).not.toContain('✗');
  expect(code).toBe(0);
  expect(output).not.toContain(', process ');

  const skipped = report.cases.filter(({ outcome }) => outcome === 'skipped');
  expect(new Set(skipped.map(({ detail }) => detail))).toEqual(
    new Set(['left out', 'needs the simulated Chutes', 'needs a router that the harness has started']),
  );
  expect(groupsOf(report, 'passed')).toEqual([
    'start',
    'models',
    'alias',
    'list',
    'direct',
    'streaming',
    'doors',
    'errors',
    'request id',
  ]);
  const keys = chutes.generations.map(({ headers }) => headers.authorization);
  expect(new Set(keys)).toEqual(new Set([`Bearer ${KEY}`]));
  expect(JSON.stringify(report)).not.toContain(KEY);
});

test('PRJ-14: a router that loses a header makes the exit code 1, and the cases say which', async () => {
  const { url } = await startDeployment();
  const front = createServer((request, response) => {
    void (async () => {
      const { method = '', headers } = request;
      const body = method === 'POST' ? Buffer.concat(await Array.fromAsync(request)) : null;
      const sent = Object.entries(headers).filter(
        ([name]) => !/^(?:host|connection|content-length)$/.test(name),
      );
      const answer = await fetch(url + (request.url ?? ''), {
        method,
        headers: sent.map(([name, value]) => [name, String(value)]),
        body,
      });
      const kept = [...answer.headers].filter(([name]) => name !== 'x-chutes-autopilot-selected');
      response.writeHead(answer.status, Object.fromEntries(kept));
      response.end(Buffer.from(await answer.arrayBuffer()));
    })();
  });
  const { code, output, report } = await smoke([], {
    SMOKE_BASE_URL: await listen(front),
    SMOKE_API_KEY: KEY,
  });
  expect(code).toBe(1);
  expect(groupsOf(report, 'failed')).toEqual(['alias', 'list', 'streaming']);
  expect(output.match(/^✗/gm)).toHaveLength(report.failed);
  expect(await readFile(join(folder, 'reports', 'latest.md'), 'utf8')).toMatch(/^\| ✗ \| list \|/m);
});

test('PRJ-14, PRJ-16: what is no router makes the exit code 1, and the key it repeats is not written', async () => {
  const stranger = createServer(({ headers }, response) =>
    response.writeHead(500).end(headers.authorization),
  );
  const { code, output, report } = await smoke([], {
    SMOKE_BASE_URL: await listen(stranger),
    SMOKE_API_KEY: KEY,
  });
  expect(code).toBe(1);
  expect(report.cases).toMatchObject([{ group: 'start', outcome: 'failed' }]);
  expect(report.cases[0]?.detail).toContain('500: Bearer [key]');
  expect(output + JSON.stringify(report)).not.toContain(KEY);
});

test('PRJ-14, PRJ-17: a router that does not come up makes the exit code 1, and the simulator is stopped', async () => {
  const built = join(folder, 'dist');
  const note = join(folder, 'pid');
  await mkdir(join(built, 'simulator'), { recursive: true });
  await writeFile(join(built, 'main.js'), 'console.error("no such luck"); process.exit(3);');
  await writeFile(
    join(built, 'simulator', 'main.js'),
    `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid));
     console.log('http://127.0.0.1:9');
     setInterval(() => {}, 1e6);`,
  );
  const { code, report } = await smoke(['--dist', built]);
  expect(code).toBe(1);
  expect(report.cases).toMatchObject([{ group: 'start', outcome: 'failed' }]);
  expect(report.cases[0]?.detail).toContain('no such luck');
  expect(isAlive(Number(await readFile(note, 'utf8')))).toBe(false);
});

test.each<[NodeJS.Signals, number]>([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])(
  'PRJ-17: on %s it stops what it started and ends with %i, without a report',
  async (signal, expected) => {
    const run = start(['--dist', dist]);
    await eventually(() => run.output.includes('✓ health'), 30_000);
    const pids = [...run.output.matchAll(/process (\d+)$/gm)].map(([, pid]) => Number(pid));
    expect(pids.map(isAlive)).toEqual([true, true]);
    run.child.kill(signal);
    const [code] = (await run.ended) as unknown[];
    expect(code).toBe(expected);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await readdir(folder)).toEqual([]);
  },
  60_000,
);

test.each([
  ['--skip', 'nothing'],
  ['--nonsense', 'x'],
])('PRJ-14: what it does not understand ends it: %s', async (...flags) => {
  const run = start(flags);
  const [code] = (await run.ended) as unknown[];
  expect(code).toBe(1);
  expect(run.output).toContain(flags[1] === 'x' ? flags[0] : 'health, models');
});
