import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { createClient } from '@redis/client';
import { quietPort } from './ports.js';
import { eventually } from './router.js';

const PROGRAM = 'redis-server';
const START_MS = 30_000;
const running = new Set<RedisServer>();

/** A Redis server of the test's own, on a port of 127.0.0.1 that it keeps over its starts. It writes nothing to disk. */
export class RedisServer {
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    /** Of its own, for certificates and the like. */
    readonly folder: string,
  ) {}

  /** A server that is not running yet. */
  static async prepare(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-'));
    const server = new RedisServer(await quietPort(), folder);
    running.add(server);
    return server;
  }

  static async start(): Promise<RedisServer> {
    const server = await RedisServer.prepare();
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves when it takes commands. @param options further ones, as on its command line */
  async start(...options: readonly string[]): Promise<void> {
    const always = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn(PROGRAM, [...always, '--dir', this.folder, ...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${output}`);
      return output.includes('Ready to accept connections');
    }, START_MS);
  }

  /** Ends it at once, without a farewell to its clients. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** From now on it neither reads nor answers, though its connections stay. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Sends it a command over a connection of its own. */
  async ask(...command: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url, maintNotifications: 'disabled', disableClientInfo: true });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  }

  /** How often it has run a command, since its start. */
  async calls(command: string): Promise<number> {
    const stats = String(await this.ask('INFO', 'commandstats'));
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  }

  async close(): Promise<void> {
    running.delete(this);
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Ends every server there is; for an `afterAll`. */
export async function closeRedisServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.close()));
}

/** A `describe` that is skipped where there is no Redis server to test with. */
export const describeWithRedis = hasRedisServer() ? describe : describe.skip;

/** With `CI` set it fails instead of saying no, so that nothing goes untested unnoticed. */
function hasRedisServer(): boolean {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    const advice = `There is no ${PROGRAM} (Debian: apt-get install ${PROGRAM}).`;
    if (process.env['CI']) throw new Error(advice);
    // oxlint-disable-next-line no-console -- A suite that is skipped in silence looks like one that passes.
    console.warn(`SKIPPED, the tests of shared pins. ${advice}`);
    return false;
  }
}
