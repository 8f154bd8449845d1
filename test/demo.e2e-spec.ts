import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { Tour } from '../src/demo/tour.js';
import { buildRouter } from './support/process.js';
import { eventually } from './support/router.js';
import { eventsOf, listAt } from './support/status.js';

interface Running {
  readonly child: ChildProcess;
  /** What was printed, in the pieces it came in. */
  readonly pieces: readonly string[];
  readonly output: () => string;
}

let demoMain: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  demoMain = join(dirname(await buildRouter()), 'demo', 'main.js');
}, 60_000);

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

function run(args: readonly string[]): Running {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const pieces: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => pieces.push(text));
  return { child, pieces, output: () => pieces.join('') };
}

/** Makes every completion look failed. */
const SABOTAGE = `data:text/javascript,${encodeURIComponent(
  `const real = fetch;
   globalThis.fetch = async (url, init) =>
     String(url).includes('completions') ? new Response('{}', { status: 500 }) : real(url, init);`,
)}`;

describe('the tour', () => {
  test('SIM-26, SIM-29: runs in one process, and ends with 0', async () => {
    const demo = run([demoMain, '--once']);
    const [code] = (await once(demo.child, 'close')) as [number];
    expect(demo.output()).not.toContain('✗');
    expect(code).toBe(0);
  }, 60_000);

  test('SIM-27: makes all its stops, and streams token by token', async () => {
    const demo = run([demoMain, '--once']);
    await once(demo.child, 'close');
    for (const stop of [
      'the alias',
      'a picture',
      'first model is down',
      'begins with an error',
      'ends politely in the middle',
      'one model by its name',
      'a rate limit',
    ]) {
      expect(demo.output()).toContain(stop);
    }
    expect(demo.output()).toMatch(/\S+\/\S+ says:/);
    expect(demo.output()).toContain('429 text/html');
    // Some seventy tokens; slow readers may get a few of them at a time.
    expect(demo.pieces.length).toBeGreaterThan(20);
  }, 60_000);

  test('SIM-29: ends with 1 if anything in it went wrong', async () => {
    const demo = run(['--import', SABOTAGE, demoMain, '--once']);
    const [code] = (await once(demo.child, 'close')) as [number];
    expect(demo.output()).toContain('✗');
    expect(code).toBe(1);
  }, 60_000);

  test('SIM-29: notices a router that does not choose', async () => {
    const simulator = await ChutesSimulator.start();
    const stage = { write: () => {}, style: (_: string, text: string) => text };
    // The simulator itself knows neither the alias nor failover.
    expect(await new Tour(`${simulator.url}/v1`, simulator, stage).run()).toBe(false);
    await simulator.close();
  });
});

test('SIM-28: prints a base URL and examples that work, and stays until Ctrl-C', async () => {
  const demo = run([demoMain]);
  await eventually(() => demo.output().includes('console.log('), 30_000);
  const output = demo.output();

  const [, url, body = ''] = /curl -N (\S+) .*\n\s+-d '(.*)'/.exec(output) ?? [];
  const answer = await fetch(url ?? '', { method: 'POST', body });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('data: [DONE]');

  const example = output.slice(output.indexOf('import OpenAI'));
  expect(example.trim().split('\n')).toHaveLength(5);
  const client = run(['--input-type=module', '--eval', example]);
  await once(client.child, 'close');
  expect(client.output()).toContain('simulated');

  demo.child.kill('SIGINT');
  const [code] = (await once(demo.child, 'close')) as [number];
  expect(code).toBe(0);
}, 60_000);

test('SIM-44: prints where the status page is, and whoever opens it watches the tour', async () => {
  const demo = run([demoMain]);
  await eventually(() => demo.output().includes('console.log('), 30_000);
  const [, page = ''] = /why this model: (http:\S+\/autopilot) /.exec(demo.output()) ?? [];
  expect((await fetch(page)).status).toBe(200);
  expect(demo.output().indexOf(page)).toBeLessThan(demo.output().indexOf('the alias'));

  const insideUrl = new URL(page).origin;
  const decisions = async () => (await listAt({ insideUrl }, 'decisions')).data.length;
  const before = await decisions();
  const followers = [await eventsOf({ insideUrl }), await eventsOf({ insideUrl })];
  await eventually(() => followers.every((follower) => follower.named('decision').length === before), 30_000);
  const models = followers[0]?.named('decision').map(({ failovers }) => failovers);
  expect(models).toContainEqual(['upstream_503']);
  expect(await decisions()).toBe(2 * before);
  for (const follower of followers) follower.close();
}, 90_000);
