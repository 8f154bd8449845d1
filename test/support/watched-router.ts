import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Held, Report } from './memory-probe.ts';
import { buildRouter } from './process.ts';
import type { Env, LogLine } from './router.ts';
import type { Stall } from './stall-watch.ts';

const PROBE = fileURLToPath(new URL('memory-probe.ts', import.meta.url));
/** Linux tells there what a process has open, and how large it is. */
const PROC = '/proc';
const START_MS = 30_000;
const STOP_MS = 30_000;

/** The built router as a process that is watched from outside, for long runs: its output is not kept. */
export class WatchedRouter {
  /** All it has written to its standard error. */
  stderr = '';
  /** How it has ended; undefined while it lives. */
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
  url = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      this.exit = { code, signal };
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /**
   * Starts it and waits until it listens.
   *
   * @param onLine called for every line it logs
   * @param onStall called whenever it has stood still
   */
  static async start(
    env: Env,
    onLine: (line: LogLine) => void,
    onStall: (stall: Stall) => void = () => {},
  ): Promise<WatchedRouter> {
    const main = await buildRouter();
    const flags = ['--enable-source-maps', '--expose-gc', '--import', PROBE];
    const child = spawn(process.execPath, [...flags, main], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const router = new WatchedRouter(child);
    child.on('message', (report: Report) => {
      if ('stall' in report) onStall(report.stall);
    });
    const listening = Promise.withResolvers<string>();
    eachLine(child, (text) => {
      const line = JSON.parse(text) as LogLine;
      if (line['msg'] === 'listening') listening.resolve(String(line['url']));
      onLine(line);
    });
    const timer = setTimeout(() => listening.reject(new Error('The router did not come up.')), START_MS);
    child.once('close', () => listening.reject(new Error(`The router did not come up: ${router.stderr}`)));
    try {
      router.url = await listening.promise;
    } finally {
      clearTimeout(timer);
    }
    return router;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Sockets that are open in it, the listening one too; 0 where the system does not tell. */
  get sockets(): number {
    if (!existsSync(PROC)) return 0;
    const folder = `${PROC}/${this.#child.pid}/fd`;
    return readdirSync(folder).filter((name) => {
      try {
        return readlinkSync(`${folder}/${name}`).startsWith('socket:');
      } catch {
        // It was closed since.
        return false;
      }
    }).length;
  }

  /** 0 where the system does not tell. */
  get residentBytes(): number {
    if (this.exit || !existsSync(PROC)) return 0;
    const status = readFileSync(`${PROC}/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** What it holds after a garbage collection. */
  async held(): Promise<Held> {
    const { promise, resolve } = Promise.withResolvers<Held>();
    const take = (report: Report) => {
      if (!('held' in report)) return;
      this.#child.off('message', take);
      resolve(report.held);
    };
    this.#child.on('message', take).send('report');
    return promise;
  }

  async get(path: string): Promise<Response> {
    // A connection that stayed open would count as one of those that leak.
    return fetch(this.url + path, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) });
  }

  /** Asks it to end, waits until it has, and kills it if it does not. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), STOP_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function eachLine({ stdout }: ChildProcess, take: (line: string) => void): void {
  let rest = '';
  stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
