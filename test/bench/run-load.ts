import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Gateway, LOAD_CORE } from './gateways.ts';
import type { Job, LoadReport } from './load.ts';

export type Task = Omit<Job, 'url' | 'headers'>;

/** How long the last answers may take. */
const MOST_EXTRA_MS = 120_000;

/** The process that makes the load. */
export interface LoadProcess {
  /** @throws if one request fails, or has no end */
  run(gateway: Gateway, task: Task): Promise<LoadReport>;
  stop(): Promise<void>;
}

export function startLoad(): LoadProcess {
  const child = fork('test/bench/load.ts');
  execFileSync('taskset', ['-a', '-cp', String(LOAD_CORE), String(child.pid)], { stdio: 'ignore' });
  const gone = once(child, 'exit').then(() => {
    throw new Error('The load has ended.');
  });
  gone.catch(() => {});
  return {
    async run({ name, url, headers }, task) {
      child.send({ ...task, url, headers } satisfies Job);
      const signal = AbortSignal.timeout(task.ms + MOST_EXTRA_MS);
      const [report] = (await Promise.race([once(child, 'message', { signal }), gone])) as [LoadReport];
      if (report.failures > 0) throw new Error(`${name}: ${report.failures} requests failed.`);
      return report;
    },
    async stop() {
      child.kill('SIGKILL');
      await gone.catch(() => {});
    },
  };
}
