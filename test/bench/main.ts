/**
 * `npm run bench`: what the built router costs, against a floor (the least that a gateway on Node has to do) and
 * against nginx where it is installed; with its pins in Redis, too, where that is. Each gateway is pinned to one core, load and
 * upstream to the other, and they take turns within one run: ratios hold better than figures. Linux, two cores or more.
 *
 * `npm run bench -- --rounds 200` for more rounds, `--only cpu` (or `latency`, `memory`, `watchers`, `traces`) for a part of it,
 * `--portkey` to install Portkey's gateway outside the project and measure it, too.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCpu } from './cpu.ts';
import {
  type Gateway,
  startFloor,
  startNginx,
  startPortkey,
  startRouter,
  startRouterWithRedis,
  startUpstream,
} from './gateways.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import { startLoad } from './run-load.ts';
import type { Program } from './support.ts';
import { measureTraces } from './traces.ts';
import { measureWatchers } from './watchers.ts';

/** What is compiled and how is V8's to decide, in each process anew: two of one build differ by up to 8 %. */
const PROCESSES = 3;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '42' },
    ms: { type: 'string', default: '150' },
    only: { type: 'string', default: 'cpu,latency,memory,watchers,traces' },
    portkey: { type: 'boolean', default: false },
  },
});

const parts = values.only.split(',');
const upstream = await startUpstream();
const load = startLoad();
try {
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}\n`);
  if (parts.includes('cpu')) await cpu(upstream);
  if (parts.includes('latency')) await measureLatency(upstream, load);
  if (parts.includes('memory')) await measureMemory(upstream, load);
  if (parts.includes('watchers')) await measureWatchers(upstream, load);
  if (parts.includes('traces')) await measureTraces(upstream, load);
} finally {
  await Promise.all([upstream.stop(), load.stop()]);
}

async function cpu(behind: Program): Promise<void> {
  const kinds: Gateway[][] = [];
  const add = async (startOne: (behind: Program) => Promise<Gateway | undefined>, processes = 1) => {
    const kind: Gateway[] = [];
    kinds.push(kind);
    for (let n = 0; n < processes; n += 1) {
      const gateway = await startOne(behind);
      if (gateway) kind.push(gateway);
    }
  };
  try {
    await add(startFloor, PROCESSES);
    await add(startRouter, PROCESSES);
    await add(startRouterWithRedis);
    await add(startNginx);
    if (values.portkey) await add(startPortkey);
    const there = kinds.filter((kind) => kind.length > 0);
    await measureCpu(there, load, { rounds: Number(values.rounds), ms: Number(values.ms) });
    console.log();
  } finally {
    await Promise.all(kinds.flat().map((gateway) => gateway.stop()));
  }
}
