/** One of the threads of `simulateAll`: a task comes in, a run goes out. */
import { parentPort } from 'node:worker_threads';
import { importBuilt } from '../support/built.ts';
import { readFleet } from './fleet.ts';
import { POLICIES, withSettings } from './policies.ts';
import { loadRouterCode } from './router-code.ts';
import { simulate } from './run.ts';
import { scenariosFor } from './scenarios.ts';
import type { Task } from './threads.ts';

const code = await loadRouterCode(importBuilt);
const fleet = readFleet();
const scenarios = new Map(scenariosFor(true).map(({ title, scenario }) => [title, scenario]));

parentPort?.on('message', ({ title, policy, seed, minutes, settings }: Task) => {
  const scenario = scenarios.get(title);
  if (!scenario) throw new Error(`There is no scenario ${title}.`);
  const run = simulate(code, scenario(fleet, minutes), withSettings(POLICIES[policy], settings), seed);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort?.postMessage(run);
});
