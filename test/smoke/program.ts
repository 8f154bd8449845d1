import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const START_MS = 30_000;
const STOP_MS = 10_000;
const MAX_COMPLAINT_CHARACTERS = 2_000;

const running = new Set<Program>();

export interface Command {
  /** The file that Node runs. */
  readonly main: string;
  readonly args?: readonly string[];
  /** All of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints when it is up; the first group is its URL. */
  readonly announces: RegExp;
}

/** A process of the built router's code that this one has started. */
export class Program {
  url = '';
  /** All it has written so far, errors too. */
  output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    running.add(this);
    child.once('close', () => running.delete(this));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
  }

  /**
   * Starts it and waits until it announces itself.
   *
   * @throws with its output, if it ends or stays silent instead
   */
  static async start({ main, args = [], env = {}, announces }: Command): Promise<Program> {
    const child = spawn(process.execPath, ['--enable-source-maps', main, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child);
    const announced = new Promise<void>((resolve) => {
      child.stdout.on('data', () => {
        program.url ||= announces.exec(program.output)?.[1] ?? '';
        if (program.url !== '') resolve();
      });
    });
    const { promise: late, resolve: tooLate } = Promise.withResolvers<void>();
    const timer = setTimeout(tooLate, START_MS);
    await Promise.race([announced, program.#closed, late]);
    clearTimeout(timer);
    if (program.url === '') {
      await program.stop();
      throw new Error(`${main} did not come up: ${program.output.slice(-MAX_COMPLAINT_CHARACTERS).trim()}`);
    }
    return program;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to end, and kills it if it does not. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#closed;
    clearTimeout(timer);
  }
}

/** Ends all that were started and still run. */
export async function stopPrograms(): Promise<void> {
  await Promise.all([...running].map(async (program) => program.stop()));
}
