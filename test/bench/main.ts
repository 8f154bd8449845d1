/**
 * `npm run bench`: what the built router costs, against a floor (the least that a gateway on Node has to do) and
 * against nginx where it is installed; with its pins in Redis, too, where that is. Each gateway is pinned to one core, load and
 * upstream to the other, and they take turns within one run: ratios hold better than figures. Linux, two cores or more.
 *
 * `npm run bench -- --rounds 200` for more rounds, `--only cpu` (or `latency`, `memory`) for a part of it,
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

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    ms: { type: 'string', default: '150' },
    only: { type: 'string', default: 'cpu,latency,memory' },
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
} finally {
  await Promise.all([upstream.stop(), load.stop()]);
}

async function cpu(behind: Program): Promise<void> {
  const gateways: Gateway[] = [];
  try {
    gateways.push(await startFloor(behind), await startRouter(behind));
    const others = [await startRouterWithRedis(behind), await startNginx(behind)];
    gateways.push(...others.filter((gateway) => gateway !== undefined));
    if (values.portkey) gateways.push(await startPortkey(behind));
    await measureCpu(gateways, load, { rounds: Number(values.rounds), ms: Number(values.ms) });
    console.log();
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  }
}
