/** `npm run smoke`: asks a router from outside whether it does what it should. Ends with 1 if it does not. */
import { dirname } from 'node:path';
import { buildRouter } from '../support/process.ts';
import { attempt, type Result, run, skip } from './case.ts';
import { GROUPS } from './cases.ts';
import { readOptions } from './options.ts';
import { type Program, stopPrograms } from './program.ts';
import { lineOf, reportOf, summaryOf, writeReport } from './report.ts';
import { startRouter } from './router-under-test.ts';
import { explore, type World } from './world.ts';

const options = readOptions(process.argv.slice(2), process.env);
const say = (text: string) => process.stdout.write(`${text}\n`);

let isStopping = false;
for (const [signal, code] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
  process.on(signal, () => {
    isStopping = true;
    void stopPrograms().finally(() => process.exit(code));
  });
}

// Whoever reads what is said may leave: the programs are to be ended all the same.
process.stdout.on('error', () => {});

const startedAt = new Date();
const results: Result[] = [];
let router: Program | undefined;
let world: World | undefined;
try {
  if (options.deployment === undefined) {
    note(await attempt('start', 'router and simulator come up', start));
  }
  const url = options.deployment ?? router?.url;
  if (url !== undefined) {
    note(await attempt('start', 'the router has models', async () => lookAround(url)));
  }
  if (world !== undefined) await goThrough(world);
} finally {
  await stopPrograms();
}
if (!isStopping) {
  const report = reportOf(startedAt, options.deployment ?? router?.url, results);
  const path = await writeReport(options.reports, report, router?.output);
  say(`\n${summaryOf(report)}: ${path}`);
  process.exitCode = report.failed === 0 ? 0 : 1;
}

async function start(): Promise<void> {
  const started = await startRouter(options.dist ?? dirname(await buildRouter()));
  say(`router ${started.router.url}, process ${started.router.pid}`);
  say(`simulator ${started.simulator.url}, process ${started.simulator.pid}\n`);
  ({ router } = started);
}

async function lookAround(url: string): Promise<void> {
  world = await explore(url, options.key, router !== undefined);
}

async function goThrough(known: World): Promise<void> {
  for (const [group, cases] of Object.entries(GROUPS)) {
    const isLeftOut = options.skip.has(group);
    for (const one of cases) note(isLeftOut ? skip(group, one, 'left out') : await run(group, one, known));
  }
}

/** The key is nobody's business, wherever an answer may have brought it back. */
function note(result: Result): void {
  if (isStopping) return;
  const known = { ...result, detail: result.detail.replaceAll(options.key, '[key]') };
  results.push(known);
  say(lineOf(known));
}
