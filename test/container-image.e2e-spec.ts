import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { closedPort, quietPort } from './support/ports.js';
import { CAN_SWITCH_USER, Image, type ImageProcess } from './support/image.js';
import { environmentFor, eventually } from './support/router.js';

jest.setTimeout(120_000);

const LISTENING = /"url":"([^"]+)","msg":"listening"/;

let image: Image;
let chutes: ChutesSimulator;

// What a build of the image does, less the base image.
beforeAll(async () => {
  image = await Image.assemble();
}, 300_000);

afterAll(async () => image.remove());

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
});

afterEach(async () => {
  await image.killAll();
  await chutes.close();
});

function startRouter(...nodeFlags: string[]): ImageProcess {
  const [node = '', ...rest] = image.instruction('ENTRYPOINT').words;
  return image.start([node, ...nodeFlags, ...rest], environmentFor(chutes.url));
}

async function health(listenAddress: string, ...args: string[]): Promise<number | null> {
  return healthWith({ LISTEN_ADDR: listenAddress }, ...args);
}

async function healthWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<number | null> {
  const [, ...command] = image.instruction('HEALTHCHECK').words;
  const [code] = await image.start([...command, ...args], env).ended;
  return code;
}

async function readyRouter(): Promise<{ router: ImageProcess; url: URL }> {
  const router = startRouter();
  const url = new URL(await router.saying(LISTENING));
  await untilReady(url);
  return { router, url };
}

async function untilReady(url: URL): Promise<void> {
  await eventually(async () => (await fetch(new URL('/readyz', url))).ok);
}

function reportIn(folder: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, 'latest.json'), 'utf8')) as Record<string, unknown>;
}

const has = (path: string) => existsSync(join(image.folder, 'app', path));

describe('what is in the image', () => {
  test('OPS-3: the built router, production dependencies, and nothing else of the project', () => {
    const inside = ['dist/main.js', 'package.json', 'healthcheck.mjs', 'node_modules/undici'];
    const outside = ['src', 'test', '.env', '.git', 'node_modules/typescript'];
    expect(inside.filter((path) => !has(path))).toEqual([]);
    expect(outside.filter(has)).toEqual([]);
    const nodes = globSync('app/node_modules/node-*/bin/node{,.exe}', { cwd: image.folder });
    expect(nodes).toEqual([]);
  });
});

describe('the router in the image', () => {
  const asUser = CAN_SWITCH_USER ? 'as its user' : 'as this user (only root can become another)';

  test(`OPS-4: runs ${asUser} from a folder that it cannot write`, async () => {
    const { router } = await readyRouter();
    const write = ['-e', 'fs.accessSync(process.argv[1], fs.constants.W_OK)', '/app'];
    const [code] = await image.start(['node', ...write], {}).ended;
    expect(code).toBe(1);
    if (!CAN_SWITCH_USER) return;
    const { uid, gid } = image.user;
    const status = readFileSync(`/proc/${router.pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:\\t${gid}\\t${gid}\\t`, 'm'));
  });

  test('OPS-4: needs to write nowhere: Node may refuse it that altogether', async () => {
    const router = startRouter('--permission', '--allow-fs-read=*', '--allow-net');
    await untilReady(new URL(await router.saying(LISTENING)));
    router.kill('SIGTERM');
    expect(await router.ended).toEqual([0, null]);
  });

  test('OPS-4: passes every case of the smoke harness', async () => {
    // The harness and all that it starts are this user's, too; it lies where that user can read it.
    const beside = join(image.folder, '..');
    cpSync('test/smoke', join(beside, 'smoke'), { recursive: true });
    cpSync('test/support/process.ts', join(beside, 'support/process.ts'));
    const reports = join(beside, 'reports');
    mkdirSync(reports);
    chmodSync(reports, 0o777);

    const command = ['node', join('..', 'smoke/main.ts'), '--dist', 'app/dist', '--reports', '../reports'];
    const smoke = image.start(command, {});
    const [code] = await smoke.ended;
    const { failed, skipped } = reportIn(reports);
    expect({ code, failed, skipped, output: smoke.output }).toMatchObject({ code: 0, failed: 0, skipped: 0 });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('OPS-5: %s ends it in order', async (signal) => {
    const router = startRouter();
    await router.saying(LISTENING);
    router.kill(signal);
    expect(await router.ended).toEqual([0, null]);
  });
});

describe('the health check', () => {
  test('OPS-6: succeeds when the router is ready, wherever LISTEN_ADDR is', async () => {
    const { url } = await readyRouter();
    expect(await health(url.host)).toBe(0);
    expect(await health(`0.0.0.0:${url.port}`)).toBe(0);
    expect(await health('127.0.0.1:1', `${url.origin}/readyz`)).toBe(0);
  });

  test('OPS-6: asks at the admin port where there is one', async () => {
    const inside = `127.0.0.1:${await quietPort()}`;
    const router = image.start(image.instruction('ENTRYPOINT').words, {
      ...environmentFor(chutes.url),
      ADMIN_LISTEN_ADDR: inside,
    });
    const { host } = new URL(await router.saying(LISTENING));
    await untilReady(new URL(`http://${inside}`));
    expect(await healthWith({ LISTEN_ADDR: host, ADMIN_LISTEN_ADDR: inside })).toBe(0);
    expect(await healthWith({ LISTEN_ADDR: '127.0.0.1:1', ADMIN_LISTEN_ADDR: ` ${inside} ` })).toBe(0);
    expect(await healthWith({ LISTEN_ADDR: host, ADMIN_LISTEN_ADDR: '' })).toBe(1);
  });

  test('OPS-6: fails while the router is not ready', async () => {
    chutes.feed('models', 'error');
    const url = new URL(await startRouter().saying(LISTENING));
    expect(await health(url.host)).toBe(1);
  });

  test('OPS-6: fails when nothing listens', async () => {
    expect(await health(`127.0.0.1:${await closedPort()}`)).toBe(1);
  });

  test('OPS-6: fails when nothing answers', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    expect(await health(`127.0.0.1:${port}`)).toBe(1);
    mute.close();
  });
});
