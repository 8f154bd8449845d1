import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Instruction, isIgnored, readDockerfile, type Stage } from './dockerfile.js';

const run = promisify(execFile);

/** The mode of files in a checkout with the umask 077, which a build takes over. */
const PRIVATE = '0600';

/** Only root can become somebody else. */
export const CAN_SWITCH_USER = process.getuid?.() === 0;

/** A program that runs in an image, as its user. */
export interface ImageProcess {
  readonly pid: number | undefined;
  /** All it has written so far, errors too. */
  readonly output: string;
  /** Exit code and signal. */
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  /** The first group of what it prints; fails if it ends before. */
  saying(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * The files of the image, made as the Dockerfile says, in a folder of their own instead of a container. In place of
 * the base image there is this process's Node, and in place of an installation with what development needs the
 * project's own `node_modules`.
 */
export class Image {
  readonly #started = new Set<ImageProcess>();

  private constructor(
    readonly folder: string,
    readonly stage: Stage,
  ) {}

  static async assemble(): Promise<Image> {
    const top = mkdtempSync(join(tmpdir(), 'chutes-autopilot-image-'));
    chmodSync(top, 0o755);
    const stages = readDockerfile();
    const workdirs = new Map<string, string>();
    for (const stage of stages) {
      workdirs.set(stage.name, await assembleStage(top, stage, workdirs.get(stage.base)));
    }
    const last = stages.at(-1);
    if (!last) throw new Error('The Dockerfile has no stage.');
    const folder = join(top, last.name);
    mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
    copyFileSync(process.execPath, join(folder, 'usr/local/bin/node'));
    chmodSync(join(folder, 'usr/local/bin/node'), 0o755);
    await run('chmod', ['-R', 'a-w', folder]);
    await run('find', [folder, '-type', 'd', '-exec', 'chmod', 'a+rx', '{}', '+']);
    return new Image(folder, last);
  }

  /** The last instruction of this name. */
  instruction(name: string): Instruction {
    const found = this.stage.instructions.findLast((instruction) => instruction.name === name);
    if (!found) throw new Error(`The image has no ${name}.`);
    return found;
  }

  /** User and group. */
  get user(): { uid: number; gid: number } {
    const [uid, gid] = this.instruction('USER').text.split(':').map(Number);
    return { uid: uid ?? Number.NaN, gid: gid ?? Number.NaN };
  }

  /** Starts a command that has paths as in the image. @param env all of its environment */
  start(command: readonly string[], env: Readonly<Record<string, string>>): ImageProcess {
    const [program = '', ...args] = command.map((word) => this.#outside(word));
    const child = spawn(program === 'node' ? this.#outside('/usr/local/bin/node') : program, args, {
      env: { NODE_ENV: 'production', ...env },
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(CAN_SWITCH_USER ? this.user : {}),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        child.emit('output');
      });
    }
    const started: ImageProcess = {
      pid: child.pid,
      get output() {
        return output;
      },
      ended: once(child, 'close') as ImageProcess['ended'],
      async saying(pattern) {
        for (;;) {
          const [, found] = pattern.exec(output) ?? [];
          if (found !== undefined) return found;
          if (child.exitCode !== null || child.signalCode !== null) throw new Error(`It ended: ${output}`);
          await Promise.race([once(child, 'output'), started.ended]);
        }
      },
      kill: (signal) => void child.kill(signal),
    };
    this.#started.add(started);
    return started;
  }

  /** Ends what it started; for an `afterEach`. */
  async killAll(): Promise<void> {
    const all = [...this.#started];
    this.#started.clear();
    for (const one of all) one.kill('SIGKILL');
    await Promise.all(all.map(async ({ ended }) => ended));
  }

  async remove(): Promise<void> {
    await run('chmod', ['-R', 'u+w', this.folder]);
    rmSync(join(this.folder, '..'), { recursive: true });
  }

  #outside(path: string): string {
    return path.startsWith('/') ? join(this.folder, path) : path;
  }
}

/** @returns the working directory, for stages that go on from this one */
async function assembleStage(top: string, stage: Stage, workdirOfBase?: string): Promise<string> {
  const { base, name, instructions } = stage;
  const root = join(top, name);
  mkdirSync(root);
  if (workdirOfBase !== undefined) cpSync(join(top, base), root, { recursive: true });
  let workdir = workdirOfBase ?? '/';
  for (const instruction of instructions) {
    if (instruction.name === 'WORKDIR') {
      workdir = instruction.text;
      mkdirSync(join(root, workdir), { recursive: true });
    } else if (instruction.name === 'COPY') {
      copy(top, join(root, workdir), instruction);
    } else if (instruction.name === 'RUN') {
      await runIn(join(root, workdir), instruction.text);
    }
  }
  return workdir;
}

function copy(top: string, workdir: string, { flags, words }: Instruction): void {
  const target = words.at(-1) ?? '';
  for (const source of words.slice(0, -1)) {
    const from = flags['from'] === undefined ? resolve(source) : join(top, flags['from'], source);
    const into = target.endsWith('/') ? join(target, source.split('/').at(-1) ?? '') : target;
    const isSent = (path: string) => flags['from'] !== undefined || !isIgnored(relative('.', path));
    cpSync(from, join(workdir, into), { recursive: true, filter: isSent });
    if (flags['from'] === undefined && statSync(from).isFile()) {
      chmodSync(join(workdir, into), Number.parseInt(flags['chmod'] ?? PRIVATE, 8));
    }
  }
}

async function runIn(workdir: string, command: string): Promise<void> {
  if (command.startsWith('npm ci') && !command.includes('--omit=dev')) {
    symlinkSync(resolve('node_modules'), join(workdir, 'node_modules'));
    return;
  }
  const path = [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, npm_config_prefer_offline: 'true' };
  await run('sh', ['-c', `umask 022; ${command}`], { cwd: workdir, env });
}
