import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { quietPort } from './support/ports.js';
import { buildRouter } from './support/process.js';
import { environmentFor, eventually } from './support/router.js';

/** Every write to it fails, as on a full disk. */
const FULL = '/dev/full';
/** Their lines are more than a pipe or a socket takes in that nobody reads. */
const MANY = 600;

// A process takes its time to start where the machine is busy.
jest.setTimeout(120_000);

let chutes: ChutesSimulator;
let folder: string;
let router: ChildProcess;
let url: string;
const opened = new Set<number>();

beforeAll(buildRouter, 120_000);

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  chutes.models = ['a/first'];
  folder = await mkdtemp(join(tmpdir(), 'log-'));
});

afterEach(async () => {
  router.kill('SIGKILL');
  opened.forEach(close);
  await chutes.close();
  await rm(folder, { recursive: true, force: true });
});

/** A router that serves, with this standard output. @param flags for Node */
async function start(stdout: number | 'pipe', flags: readonly string[] = []): Promise<void> {
  const port = await quietPort();
  router = spawn(process.execPath, [...flags, await buildRouter()], {
    env: { ...environmentFor(chutes.url), LISTEN_ADDR: `127.0.0.1:${port}` },
    stdio: ['ignore', stdout, 'ignore'],
  });
  url = `http://127.0.0.1:${port}`;
  await eventually(() =>
    fetch(`${url}/v1/models`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

function open(path: string, flags: string): number {
  const fd = openSync(path, flags);
  opened.add(fd);
  return fd;
}

function close(fd: number): void {
  opened.delete(fd);
  closeSync(fd);
}

/** Sends requests, one after the other. @returns their ids */
async function ask(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => `request-${n}`);
  const body = JSON.stringify({ model: 'a/first', messages: [] });
  for (const id of ids) {
    const headers = { 'x-request-id': id };
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    await answer.text();
  }
  return ids;
}

/** The ids of the requests in a log, all of whose lines have to be whole. */
function idsIn(log: string): unknown[] {
  const lines = log.split('\n');
  expect(lines.pop()).toBe('');
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return entries.filter(({ msg }) => msg === 'request').map(({ req_id: id }) => id);
}

/** Somewhere the log can go. */
interface Place {
  readonly stdout: number | 'pipe';
  /** All of it, once the router has ended. Until then nobody reads it. */
  read(): Promise<string>;
}

const PLACES: Readonly<Record<string, () => Place>> = {
  // What Node makes for a child, and systemd for its journal, is a socket.
  'a socket': () => ({ stdout: 'pipe', read: async () => textOf(router.stdout as Readable) }),
  'a pipe': () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const both = open(path, 'r+');
    return {
      stdout: both,
      async read() {
        const reader = createReadStream(path);
        await once(reader, 'open');
        close(both);
        return textOf(reader);
      },
    };
  },
  'a file': () => {
    const path = join(folder, 'log');
    return {
      stdout: open(path, 'w'),
      async read() {
        await once(router, 'exit');
        return readFileSync(path, 'utf8');
      },
    };
  },
};

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text += String(piece);
  return text;
}

describe.each(Object.keys(PLACES))('a log that goes to %s', (kind) => {
  let place: Place;

  beforeEach(() => {
    place = (PLACES[kind] as () => Place)();
  });

  test.each([1, 100])(
    'OBS-16: the lines of the last %i requests are out when the process ends',
    async (count) => {
      await start(place.stdout);
      const ids = await ask(count);
      const log = place.read();
      router.kill('SIGTERM');
      expect(await once(router, 'exit')).toEqual([0, null]);
      expect(idsIn(await log)).toEqual(ids);
    },
  );

  test('OBS-38: after a crash all lines are there, in their order', async () => {
    const crash = `process.on('SIGWINCH', () => { throw new Error('a crash'); });`;
    await start(place.stdout, [`--import=data:text/javascript,${encodeURIComponent(crash)}`]);
    const log = place.read();
    const ids = await ask(100);
    router.kill('SIGWINCH');
    expect(await once(router, 'exit')).toEqual([1, null]);
    expect(idsIn(await log)).toEqual(ids);
  });
});

describe.each(['a socket', 'a pipe'])('%s that nobody reads', (kind) => {
  let place: Place;

  beforeEach(async () => {
    place = (PLACES[kind] as () => Place)();
    await start(place.stdout);
  });

  test.each([1, 2])('OBS-40: does not keep the process from ending, after %i signals', async (signals) => {
    await ask(MANY);
    const ended = once(router, 'exit');
    for (let n = 0; n < signals; n += 1) router.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('OBS-31, OBS-38: gets all its lines, in their order, when it is read again', async () => {
    const ids = await ask(MANY);
    const log = place.read();
    ids.push(...(await ask(10)));
    router.kill('SIGTERM');
    expect(await once(router, 'exit')).toEqual([0, null]);
    expect(idsIn(await log)).toEqual(ids);
  });
});

test('OBS-31: a reader that has gone costs neither an answer nor the orderly end', async () => {
  await start('pipe');
  router.stdout?.destroy();
  await ask(100);
  router.kill('SIGTERM');
  expect(await once(router, 'exit')).toEqual([0, null]);
});

(existsSync(FULL) ? describe : describe.skip)('a full disk', () => {
  test('OBS-31: costs neither an answer nor the orderly end', async () => {
    await start(open(FULL, 'w'));
    await ask(100);
    router.kill('SIGTERM');
    expect(await once(router, 'exit')).toEqual([0, null]);
  });
});
