import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { buildRouter } from '../support/process.ts';
import type { PolicyName } from './policies.ts';
import type { Run } from './run.ts';

/** One simulation: the scenario by its title. */
export interface Task {
  readonly title: string;
  readonly policy: PolicyName;
  readonly seed: number;
  readonly minutes: number;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Simulates, as many at a time as there are cores.
 *
 * @param onRun is called in the order of the tasks
 */
export async function simulateAll(
  tasks: readonly Task[],
  onRun: (task: Task, run: Run) => void,
): Promise<void> {
  // Once, before all of them would.
  await buildRouter();
  const runs = tasks.map(() => Promise.withResolvers<Run>());
  let next = 0;
  const threads = Array.from({ length: Math.min(availableParallelism(), tasks.length) }, async () => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url));
    try {
      while (next < tasks.length) {
        const at = next;
        next += 1;
        runs[at]?.resolve(await resultOf(worker, tasks[at] as Task));
      }
    } finally {
      await worker.terminate();
    }
  });
  const all = Promise.all(threads);
  for (const [at, { promise }] of runs.entries()) {
    // A thread that has failed ends the waiting.
    const run = await Promise.race([promise, all.then(async () => promise)]);
    onRun(tasks[at] as Task, run);
  }
  await all;
}

async function resultOf(worker: Worker, task: Task): Promise<Run> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  worker.postMessage(task);
  const [run] = (await once(worker, 'message')) as [Run];
  return run;
}
