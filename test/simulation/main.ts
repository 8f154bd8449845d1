/**
 * `npm run simulate`: the router's own choosing on a simulated fleet with a minute-old feed, several policies side by side. Prints a
 * table, and writes it with a chart and all figures to `logs/simulation/`. `research/ROUTING.md` says what is assumed, and what was seen.
 *
 * `--all` for all scenarios, `--only hangs` for those whose title has that in it, `--minutes 60`, `--seeds 101-105` (or `1,2,3`),
 * `--set COOLDOWN_MS=30000` (repeatable) for other settings of the router, `--reports` for another folder.
 */
import type { Run } from './run.ts';
import { readOptions } from './options.ts';
import { POLICIES, type PolicyName } from './policies.ts';
import { headOf, LEGEND, lineOf, type Row, writeReport } from './report.ts';
import { scenariosFor } from './scenarios.ts';
import { type Summary, summaryOf } from './summary.ts';
import { simulateAll, type Task } from './threads.ts';

const { seeds, minutes, settings, isAll, only, reports } = readOptions(process.argv.slice(2));
const startedAt = new Date().toISOString();
const say = (text: string) => process.stdout.write(`${text}\n`);
// Whoever reads what is said may leave: the report is written all the same.
process.stdout.on('error', () => {});

const titles = scenariosFor(isAll)
  .map(({ title }) => title)
  .filter((title) => title.includes(only));
const names = Object.keys(POLICIES) as PolicyName[];
const tasks: Task[] = titles.flatMap((title) =>
  names.flatMap((policy) => seeds.map((seed) => ({ title, policy, seed, minutes, settings }))),
);

const began = performance.now();
const rows: Row[] = [];
let runs: Run[] = [];
let policies: Partial<Record<PolicyName, Summary>> = {};
let events = 0;
await simulateAll(tasks, ({ title, policy }, run) => {
  runs.push(run);
  events += run.events;
  if (runs.length < seeds.length) return;
  const summary = summaryOf(runs);
  runs = [];
  if (policy === names[0]) {
    say(headOf(title));
    policies = {};
    rows.push({ scenario: title, policies });
  }
  policies[policy] = summary;
  say(lineOf(policy, summary));
});
const tookS = (performance.now() - began) / 1_000;

const paths = await writeReport(reports, { startedAt, seeds, minutes, settings, rows });
say(`\n${LEGEND}\n`);
const millions = (events / 1e6).toFixed(1);
say(`Seeds ${seeds.join(', ')}; ${millions} million events in ${tookS.toFixed(1)} s: ${paths.join(', ')}`);
