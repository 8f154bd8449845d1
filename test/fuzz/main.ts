/** `npm run fuzz`: made-up bodies for the reader, then made-up connections for the whole router. Ends with 1 if anything was wrong. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { byCount, table } from '../support/table.ts';
import { fuzzReader } from './reader.ts';
import { RouterFuzz } from './router.ts';

const MS_PER_MINUTE = 60_000;
const READER_SHARE = 0.4;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? randomInt(1_000_000));
if (!(minutes > 0) || !Number.isInteger(seed))
  throw new Error('Use --minutes 1 --seed 1, both of them numbers.');
const ms = minutes * MS_PER_MINUTE;

const say = (text: string) => process.stdout.write(`${text}\n`);
say(`Fuzz of ${minutes} minutes. To repeat it: npm run fuzz -- --minutes ${minutes} --seed ${seed}\n`);

const reader = await fuzzReader(seed, ms * READER_SHARE);
say(table('Bodies for the reader', [...byCount(reader.outcomes), ['all', reader.inputs]]));

const router = await RouterFuzz.run(seed, ms * (1 - READER_SHARE));
say(
  table('Connections to the router', [
    ...byCount(router.ends),
    ['all', router.connections],
    ['bytes sent', router.bytes],
    ['requests that reached the upstream, all sound', router.arrived],
    ['/healthz meanwhile', router.health],
  ]),
);
say(table('Answers', byCount(router.answers)));

const problems = [...reader.problems, ...router.problems];
if (problems.length === 0) {
  say(
    'Every body was read as JSON.parse reads it; every connection ended in answers of the contract or a close.',
  );
} else {
  say(`${problems.length} problems with seed ${seed}:\n- ${problems.join('\n- ')}`);
  process.exitCode = 1;
}
