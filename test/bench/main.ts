/**
 * `npm run bench`: CPU time per request (user and system, of the gateway's process) of the built router and of the
 * floor, in turns within one run, each pinned to one core, load and upstream on the other. Ratios hold better than
 * figures. `npm run bench -- --rounds 9` for more rounds.
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { cpuMicros, freePort, median, type Program, start } from './support.ts';

const GATEWAY_CORE = 0;
const LOAD_CORE = 1;
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, ms: { type: 'string', default: '1500' } },
});

interface Work {
  readonly name: string;
  readonly load: readonly string[];
  readonly per: 'requests' | 'chunks';
}

const WORKS: readonly Work[] = [
  { name: '1 KB request, JSON answer', load: ['--bytes', '1024'], per: 'requests' },
  { name: '64 KB request, model first', load: ['--bytes', '65536'], per: 'requests' },
  { name: '64 KB request, model last', load: ['--bytes', '65536', '--model', 'last'], per: 'requests' },
  {
    name: '1 MB request, model first',
    load: ['--bytes', '1048576', '--connections', '8'],
    per: 'requests',
  },
  {
    name: '1 MB request, model last',
    load: ['--bytes', '1048576', '--connections', '8', '--model', 'last'],
    per: 'requests',
  },
  {
    name: 'one SSE chunk of 160 bytes, 50 streams',
    load: ['--path', '/v1/chat/completions?stream=200', '--connections', '50'],
    per: 'chunks',
  },
];

const run = promisify(execFile);
const node = process.execPath;

const upstreamPort = await freePort();
const upstream = await start(LOAD_CORE, upstreamPort, [
  node,
  'test/bench/gateways/upstream.ts',
  String(upstreamPort),
]);
const floor = await startFloor();
const router = await startRouter();
try {
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; µs of CPU, medians\n`);
  console.log(
    `${'work'.padEnd(40)} ${'floor'.padStart(8)} ${'router'.padStart(8)}   ratio (lowest–highest of the rounds)`,
  );
  for (const work of WORKS) await measure(work);
} finally {
  await Promise.all([router.stop(), floor.stop(), upstream.stop()]);
}

async function measure(work: Work): Promise<void> {
  await cost(floor, work);
  await cost(router, work);
  const floors: number[] = [];
  const routers: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    floors.push(await cost(floor, work));
    routers.push(await cost(router, work));
  }
  const ratios = routers.map((figure, round) => figure / (floors[round] ?? NaN));
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  const [low, high] = [median(floors), median(routers)];
  const figures = `${low.toFixed(1).padStart(8)} ${high.toFixed(1).padStart(8)}`;
  console.log(`${work.name.padEnd(40)} ${figures}   ${(high / low).toFixed(2)} (${range})`);
}

/** Microseconds of the gateway's CPU per request or chunk. */
async function cost(gateway: Program, { load, per }: Work): Promise<number> {
  const before = cpuMicros(gateway.pid);
  const flags = ['--url', gateway.url, '--ms', values.ms, ...load];
  const { stdout } = await run('taskset', ['-c', String(LOAD_CORE), node, 'test/bench/load.ts', ...flags]);
  const counts = JSON.parse(stdout) as Record<'requests' | 'chunks' | 'failures', number>;
  if (counts.failures > 0) throw new Error(`${counts.failures} requests failed.`);
  return (cpuMicros(gateway.pid) - before) / counts[per];
}

async function startFloor(): Promise<Program> {
  const port = await freePort();
  return start(GATEWAY_CORE, port, [node, 'test/bench/gateways/floor.ts', String(port), upstream.url]);
}

async function startRouter(): Promise<Program> {
  const port = await freePort();
  return start(GATEWAY_CORE, port, [node, '--enable-source-maps', 'dist/main.js'], {
    LISTEN_ADDR: `127.0.0.1:${port}`,
    BACKEND_BASE_URL: upstream.url,
    EVIDENCE_BASE_URL: upstream.url,
    MODELS_URL: `${upstream.url}/v1/models`,
    UTILIZATION_URL: `${upstream.url}/chutes/utilization`,
  });
}
