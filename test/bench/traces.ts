import { type Gateway, startCollector, startRouter } from './gateways.ts';
import { RATE, type Round, runRound } from './round.ts';
import type { LoadProcess } from './run-load.ts';
import { median, type Program, quantile, residentBytes } from './support.ts';

/** What is compiled and how differs from process to process, so there are some of each. */
const PROCESSES = 3;
const ROUNDS = 8;
const WARM_UP_ROUNDS = 3;

/**
 * Prints what traces cost each of a thousand requests a second: two spans, made, kept, written as protobuf and sent. Of each kind
 * there are some processes, and those that are compared have been measured within seconds.
 */
export async function measureTraces(upstream: Program, load: LoadProcess): Promise<void> {
  const collector = await startCollector();
  const kinds = [
    { name: 'without', env: {} },
    { name: 'one in twenty', env: { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.05' } },
    { name: 'all', env: {} },
  ].map(({ name, env }) => ({
    name,
    env: { ...env, ...(name === 'without' ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }) },
    rounds: [] as Round[],
    grown: [] as number[],
  }));
  try {
    for (let process = 0; process < PROCESSES; process += 1) {
      const routers: Gateway[] = [];
      try {
        for (const { name, env } of kinds) routers.push(await startRouter(upstream, env, name));
        let before: number[] = [];
        for (let n = -WARM_UP_ROUNDS; n < ROUNDS; n += 1) {
          if (n === 0) before = routers.map(({ pid }) => residentBytes(pid));
          // Each is the first as often as the others.
          for (let k = 0; k < kinds.length; k += 1) {
            const at = (k + n + WARM_UP_ROUNDS) % kinds.length;
            const round = await runRound(routers[at] as Gateway, load);
            if (n >= 0) kinds[at]?.rounds.push(round);
          }
        }
        routers.forEach(({ pid }, at) => kinds[at]?.grown.push(residentBytes(pid) - (before[at] ?? NaN)));
      } finally {
        await Promise.all(routers.map(async (router) => router.stop()));
      }
    }
  } finally {
    await collector.stop();
  }
  const [without] = kinds;
  for (const { name, rounds, grown } of kinds) {
    const ratio = median(rounds.map(({ cpu }, n) => cpu / (without?.rounds[n]?.cpu ?? NaN)));
    const latencies = rounds.flatMap((round) => round.latencies);
    console.log(
      `traces at ${RATE} requests/s, ${name}`.padEnd(44),
      `CPU a request ${median(rounds.map(({ cpu }) => cpu)).toFixed(1)} µs, ${ratio.toFixed(3)};`,
      `p50 ${quantile(latencies, 0.5).toFixed(2)} ms;`,
      `memory grown by ${(median(grown) / 1_048_576).toFixed(1)} MiB`,
    );
  }
}
