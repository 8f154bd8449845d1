import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Env, LogLine } from './router.js';

type Exit = [code: number | null, signal: NodeJS.Signals | null];

/** The built router as a process of its own. */
export interface RouterProcess {
  readonly child: ChildProcess;
  /** Where it listens, as soon as it says so (at level `info`); fails if it ends before. */
  readonly url: Promise<string>;
  /** Exit code and signal, once it has ended and all its output is here. */
  readonly ended: Promise<Exit>;
  readonly stdout: string;
  readonly stderr: string;
  /** Its output so far, a line each. */
  readonly logs: readonly LogLine[];
  kill(signal: NodeJS.Signals): void;
}

const CACHE = 'node_modules/.cache/router-process';
/** What the status page is made of; taken as it is. */
const PAGE = 'status/page/*.{html,css,js}';
const ONE_DAY_MS = 24 * 60 * 60 * 1000;
const running = new Set<ChildProcess>();
let built: Promise<string> | undefined;

/**
 * Builds the router unless these sources have been built before. Takes a while: give a `beforeAll` a minute.
 *
 * @returns the path of `main.js`
 */
export async function buildRouter(): Promise<string> {
  return (built ??= build());
}

async function build(): Promise<string> {
  const sources = globSync(['src/**/*.{ts,wasm}', `src/${PAGE}`, 'tsconfig*.json'], {
    exclude: ['**/*.spec.ts'],
  }).toSorted();
  const hash = createHash('sha256');
  for (const source of sources) hash.update(source).update(await readFile(source));
  const folder = resolve(CACHE, hash.digest('hex').slice(0, 16));

  if (!existsSync(folder)) {
    await removeOldBuilds();
    // Several test files may build at the same time: the first one to finish wins, whole.
    const own = `${folder}.${process.pid}`;
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'package.json'), '{"type":"module"}');
    // Types have a check of their own.
    const flags = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', own];
    await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', ...flags]);
    for (const file of globSync(['**/*.wasm', PAGE], { cwd: 'src' })) {
      await mkdir(dirname(join(own, file)), { recursive: true });
      await copyFile(join('src', file), join(own, file));
    }
    await rename(own, folder).catch(() => rm(own, { recursive: true }));
  }
  return join(folder, 'main.js');
}

async function removeOldBuilds(): Promise<void> {
  for (const folder of globSync(`${CACHE}/*`)) {
    // Younger ones may be in use; one that is gone by now was another file's unfinished build.
    const builtAtMs = (await stat(folder).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - builtAtMs > ONE_DAY_MS) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Starts the built router with this environment and nothing else of this process's own.
 *
 * @param nodeFlags for Node itself
 * @param setUp what a shell does before, as `ulimit -n 100`
 */
export async function startProcess(
  env: Env,
  nodeFlags: readonly string[] = [],
  setUp = ':',
): Promise<RouterProcess> {
  const main = await buildRouter();
  const command = [process.execPath, ...nodeFlags, main];
  // `exec`, so that it is the child and gets its signals.
  const child = spawn('/bin/sh', ['-c', `${setUp} && exec "$@"`, 'sh', ...command], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  const listening = Promise.withResolvers<string>();

  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    const [, url] = /"url":"([^"]+)","msg":"listening"\}\n/.exec(output.stdout) ?? [];
    if (url !== undefined) listening.resolve(url);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = once(child, 'close') as Promise<Exit>;
  child.once('close', () => {
    running.delete(child);
    listening.reject(new Error(`The router ended before it listened: ${output.stderr}`));
  });
  listening.promise.catch(() => {});

  return {
    child,
    url: listening.promise,
    ended,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    get logs() {
      return linesOf(output.stdout);
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** Ends what is still running; for an `afterEach`. */
export async function killProcesses(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'close');
    }),
  );
}

/** The complete lines of an output, each one JSON. */
function linesOf(output: string): LogLine[] {
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LogLine);
}
