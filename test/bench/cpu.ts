import { type Gateway, LOAD_CORE } from './gateways.ts';
import { runLoad } from './run-load.ts';
import { cpuMicros, median } from './support.ts';

interface Work {
  readonly name: string;
  readonly load: readonly string[];
  readonly per: 'requests' | 'chunks';
  /** The most that the router may cost, as a multiple of the floor. */
  readonly target: number;
}

const WORKS: readonly Work[] = [
  { name: '1 KB request, JSON answer', load: ['--bytes', '1024'], per: 'requests', target: 1.4 },
  { name: '64 KB request, model first', load: ['--bytes', '65536'], per: 'requests', target: 1.5 },
  {
    name: '64 KB request, model last',
    load: ['--bytes', '65536', '--model', 'last'],
    per: 'requests',
    target: 1.5,
  },
  {
    name: '1 MB request, model first',
    load: ['--bytes', '1048576', '--connections', '8'],
    per: 'requests',
    target: 1.5,
  },
  {
    name: '1 MB request, model last',
    load: ['--bytes', '1048576', '--connections', '8', '--model', 'last'],
    per: 'requests',
    target: 1.5,
  },
  {
    name: 'one SSE chunk of 160 bytes, 50 streams',
    load: ['--path', '/v1/chat/completions?stream=200', '--connections', '50'],
    per: 'chunks',
    target: 1.15,
  },
];

export interface CpuOptions {
  readonly rounds: number;
  /** How long each gateway is under load in each round, in milliseconds. */
  readonly ms: number;
}

/**
 * Prints CPU time per request (user and system, of the gateway's process), the gateways taking turns. The first is
 * the floor, the second the router; the others have half as many turns.
 */
export async function measureCpu(gateways: readonly Gateway[], options: CpuOptions): Promise<void> {
  const columns = gateways.map(({ name }) => name.padStart(9)).join('');
  console.log(`${'µs of CPU, medians'.padEnd(40)}${columns}   ratio (lowest–highest)   target`);
  // Just-in-time compilers take some ten thousand requests.
  for (const gateway of gateways) await costOf(gateway, WORKS[0] as Work, 8_000);
  for (const work of WORKS) await measureWork(gateways, work, options);
}

async function measureWork(
  gateways: readonly Gateway[],
  work: Work,
  { rounds, ms }: CpuOptions,
): Promise<void> {
  const costs = gateways.map((): number[] => []);
  for (const gateway of gateways) await costOf(gateway, work, ms);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, gateway] of gateways.entries()) {
      if (i < 2 || round % 2 === 0) costs[i]?.push(await costOf(gateway, work, ms));
    }
  }
  const [floors = [], routers = []] = costs;
  const ratios = routers.map((cost, round) => cost / (floors[round] ?? NaN));
  const columns = costs.map((figures) => median(figures).toFixed(1).padStart(9)).join('');
  const ratio = (median(routers) / median(floors)).toFixed(2).padStart(6);
  const range = `(${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
  console.log(
    `${work.name.padEnd(40)}${columns}  ${ratio} ${range.padEnd(14)}   ≤ ${work.target.toFixed(2)}`,
  );
}

/** Microseconds per request or chunk. */
async function costOf(gateway: Gateway, { load, per }: Work, ms: number): Promise<number> {
  const before = cpuMicros(gateway.pid);
  const counts = await runLoad(gateway, LOAD_CORE, ['--ms', String(ms), ...load]);
  return (cpuMicros(gateway.pid) - before) / counts[per];
}
