import { direct, type Gateway, startRouter } from './gateways.ts';
import type { LoadProcess } from './run-load.ts';
import { type Program, quantile } from './support.ts';

const RATE = 300;
const ROUNDS = 16;
const MS = 1_500;

/** Prints what the router adds to the time of an answer at 300 requests a second, and what a busy feed adds to that. */
export async function measureLatency(upstream: Program, load: LoadProcess): Promise<void> {
  const calm = await startRouter(upstream, { UTILIZATION_REFRESH_MS: '3600000' }, 'calm');
  const busy = await startRouter(
    upstream,
    { UTILIZATION_URL: `${upstream.url}/chutes/utilization?large`, UTILIZATION_REFRESH_MS: '500' },
    'busy',
  );
  try {
    const [without = [], withRouter = [], withFeed = []] = await latencies(
      [direct(upstream), calm, busy],
      load,
    );
    const added = quantile(withRouter, 0.5) - quantile(without, 0.5);
    console.log(`added latency at ${RATE} requests/s, p50`.padEnd(56), `${added.toFixed(2)} ms   ≤ 1 ms`);
    const moved = quantile(withFeed, 0.99) - quantile(withRouter, 0.99);
    const from = `from ${quantile(withRouter, 0.99).toFixed(1)} to ${quantile(withFeed, 0.99).toFixed(1)}`;
    console.log(
      'p99 moved by a feed of 450 KB, changed every 500 ms'.padEnd(56),
      `${moved.toFixed(2)} ms (${from})   ≤ 2 ms`,
    );
  } finally {
    await Promise.all([calm.stop(), busy.stop()]);
  }
}

/** Of all rounds together: a hiccup of the machine is in one round of one gateway, the feed in all of its. */
async function latencies(gateways: readonly Gateway[], load: LoadProcess): Promise<readonly number[][]> {
  const seen = gateways.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const [i, gateway] of gateways.entries()) {
      // Only the one that is measured runs: they share a core, and the feed of one would slow the others as well.
      for (const { pid } of gateways.slice(1)) process.kill(pid, pid === gateway.pid ? 'SIGCONT' : 'SIGSTOP');
      const report = await load.run(gateway, { rate: RATE, ms: MS });
      // The first two rounds are for warming up.
      if (round >= 0) seen[i]?.push(...report.latencies);
    }
  }
  return seen;
}
