import type { Gateway } from './gateways.ts';
import type { LoadProcess, Task } from './run-load.ts';
import { cpuMicros, median, quantile } from './support.ts';

interface Work {
  readonly name: string;
  readonly task: Omit<Task, 'ms'>;
  /** How long each slice takes, as a multiple of the usual. */
  readonly length?: number;
  readonly per: 'requests' | 'chunks';
  /** The most that the router may cost, as a multiple of the floor. */
  readonly target: number;
}

const MB = 1_048_576;

const WORKS: readonly Work[] = [
  { name: '1 KB request, JSON answer', task: { bytes: 1_024 }, per: 'requests', target: 1.4 },
  { name: '64 KB request, model first', task: { bytes: 65_536 }, per: 'requests', target: 1.5 },
  {
    name: '64 KB request, model last',
    task: { bytes: 65_536, isModelLast: true },
    per: 'requests',
    target: 1.5,
  },
  {
    name: '1 MB request, model first',
    task: { bytes: MB, connections: 8 },
    length: 2,
    per: 'requests',
    target: 1.5,
  },
  {
    name: '1 MB request, model last',
    task: { bytes: MB, connections: 8, isModelLast: true },
    length: 2,
    per: 'requests',
    target: 1.5,
  },
  {
    name: 'one SSE chunk of 160 bytes, 50 streams',
    task: { path: '/v1/chat/completions?stream=200', connections: 50 },
    // A stream takes a fifth of a second.
    length: 3,
    per: 'chunks',
    target: 1.15,
  },
];

/** Just-in-time compilers take some ten thousand requests. */
const WARM_UP_SLICES = 40;
const WARM_UP_ROUNDS_PER_WORK = 3;
/** What is neither floor nor router has a turn in each so many rounds. */
const OTHERS_EVERY = 4;

/** Gateways of one kind, one at least. */
type Processes = readonly Gateway[];

export interface CpuOptions {
  /** How often the gateways take turns, all processes together. */
  readonly rounds: number;
  /** How long a turn is, in milliseconds. */
  readonly ms: number;
}

/**
 * Prints CPU time per request (user and system, of the gateway's process). The first kind is the floor, the second the router.
 * Of each work, the first processes of all kinds do a part, then the second ones, and so on.
 *
 * Turns are short, since the speed of a shared machine changes from one second to the next: what is compared has been
 * measured within a fraction of a second. The ratio is the median of those of all rounds. How busy floor and router were is
 * printed, too: one that waits for the load works on fewer requests at a time, and pays more for each. Of streams that is in the
 * nature of the work.
 */
export async function measureCpu(
  kinds: readonly Processes[],
  load: LoadProcess,
  options: CpuOptions,
): Promise<void> {
  const columns = kinds.map(([gateway]) => gateway?.name.padStart(9)).join('');
  console.log(`${'µs of CPU, medians'.padEnd(40)}${columns}   ratio (middle half)   target   busy`);
  for (let n = 0; n < WARM_UP_SLICES; n += 1) {
    for (const gateway of kinds.flat()) await costOf(gateway, load, WORKS[0] as Work, options.ms);
  }
  for (const work of WORKS) await measureWork(kinds, load, work, options);
}

async function measureWork(
  kinds: readonly Processes[],
  load: LoadProcess,
  work: Work,
  { rounds, ms }: CpuOptions,
): Promise<void> {
  const costs = kinds.map((): number[] => []);
  const shares = kinds.map((): number[] => []);
  const trials = Math.max(...kinds.map((processes) => processes.length));
  for (let trial = 0; trial < trials; trial += 1) {
    for (let round = -WARM_UP_ROUNDS_PER_WORK; round < rounds / trials; round += 1) {
      // Now in one order, now in the other, so that what changes steadily favours nobody.
      const order = [...kinds.entries()];
      if (round % 2 === 0) order.reverse();
      for (const [i, processes] of order) {
        if (i >= 2 && round % OTHERS_EVERY !== 0) continue;
        const gateway = processes[trial % processes.length] as Gateway;
        const { cost, share } = await costOf(gateway, load, work, ms);
        if (round < 0) continue;
        costs[i]?.push(cost);
        shares[i]?.push(share);
      }
    }
  }
  const [floors = [], routers = []] = costs;
  const ratios = routers.map((cost, round) => cost / (floors[round] ?? NaN));
  const columns = costs.map((figures) => figure(median(figures)).padStart(9)).join('');
  const busy = shares.slice(0, 2).map((figures) => `${(median(figures) * 100).toFixed(0)} %`);
  const range = `(${quantile(ratios, 0.25).toFixed(2)}–${quantile(ratios, 0.75).toFixed(2)})`;
  console.log(
    `${work.name.padEnd(40)}${columns}  ${median(ratios).toFixed(2).padStart(6)} ${range}        ≤ ${work.target.toFixed(2)}   ${busy.join(', ')}`,
  );
}

/** Portkey does not hand on the query that asks for a stream, so it has no chunks. */
function figure(micros: number): string {
  return Number.isFinite(micros) ? micros.toFixed(1) : '–';
}

/** Microseconds per request or chunk, and the share of the time that the gateway was running. */
async function costOf(
  gateway: Gateway,
  load: LoadProcess,
  { task, per, length = 1 }: Work,
  ms: number,
): Promise<{ cost: number; share: number }> {
  const startedAt = performance.now();
  const before = cpuMicros(gateway.pid);
  const counts = await load.run(gateway, { ...task, ms: ms * length });
  if (per === 'chunks' && counts.chunks % counts.requests !== 0)
    throw new Error(`${gateway.name} loses chunks.`);
  const micros = cpuMicros(gateway.pid) - before;
  return { cost: micros / counts[per], share: micros / 1_000 / (performance.now() - startedAt) };
}
