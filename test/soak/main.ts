/** `npm run soak`: see {@link Soak}. Ends with 1 if anything was lost, leaked or wrong. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Held } from '../support/memory-probe.ts';
import { checkCounts, checkEnd, checkIdle, checkMemory, idleOf } from './inspection.ts';
import { finalReport, roundReport } from './report.ts';
import { Soak } from './soak.ts';

const MS_PER_MINUTE = 60_000;
/** Memory is compared from the second round on; a very short run has no time for that. */
const LEAST_ROUNDS = 3;
const VERY_SHORT_MINUTES = 0.5;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '2' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? randomInt(1_000_000));
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new Error('Use --minutes 2 --seed 1, both of them numbers.');
}
const rounds = Math.max(minutes < VERY_SHORT_MINUTES ? 1 : LEAST_ROUNDS, Math.round(minutes));
const say = (text: string) => process.stdout.write(`${text}\n`);
say(`Soak of ${minutes} minutes. To repeat it: npm run soak -- --minutes ${minutes} --seed ${seed}\n`);

const soak = await Soak.start(seed);
const before = await idleOf(soak);
let after = before;
const measured: Held[] = [];
for (let round = 1; round <= rounds && !soak.router.exit; round += 1) {
  await soak.run((minutes * MS_PER_MINUTE) / rounds);
  if (soak.router.exit) break;
  const held = await soak.router.held();
  measured.push(held);
  say(`round ${round} of ${rounds}: ${roundReport(soak, held)}`);
}
if (!soak.router.exit) {
  await soak.fillUp();
  await checkIdle(soak, before);
  await checkCounts(soak);
  checkMemory(soak, measured);
  after = await idleOf(soak);
}
await soak.close();
checkEnd(soak);

say(`\n${finalReport(soak, measured, before, after)}`);
const { problems, shownProblems } = soak.ledger.tally;
if (problems.length === 0) {
  say(`Nothing was lost, nothing leaked${measured.length > 1 ? ', nothing grew' : ''}.`);
} else {
  say(`${problems.length} problems with seed ${seed}:\n- ${shownProblems.join('\n- ')}`);
  process.exitCode = 1;
}
