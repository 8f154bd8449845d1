import { direct, type Gateway, startRouter } from './gateways.ts';
import type { LoadProcess } from './run-load.ts';
import { type Program, quantile } from './support.ts';

const RATE = 300;
const ROUNDS = 16;
const WARM_UP_ROUNDS = 2;
const MS = 1_500;

/** Prints what the router adds to the time of an answer at 300 requests a second, and what a large feed adds to that. */
export async function measureLatency(upstream: Program, load: LoadProcess): Promise<void> {
  const router = await startRouter(upstream, { UTILIZATION_REFRESH_MS: '500' });
  try {
    const [without = [], withRouter = [], withFeed = []] = await latencies(upstream, router, load);
    const added = quantile(withRouter, 0.5) - quantile(without, 0.5);
    console.log(`added latency at ${RATE} requests/s, p50`.padEnd(56), `${added.toFixed(2)} ms   ≤ 1 ms`);
    const moved = quantile(withFeed, 0.99) - quantile(withRouter, 0.99);
    const from = `from ${quantile(withRouter, 0.99).toFixed(1)} to ${quantile(withFeed, 0.99).toFixed(1)}`;
    console.log(
      'p99 moved by a feed of 450 KB, changed every 500 ms'.padEnd(56),
      `${moved.toFixed(2)} ms (${from})   ≤ 2 ms`,
    );
  } finally {
    await router.stop();
  }
}

/**
 * In milliseconds: without a router, with one, and with one whose feed is large. It is the same process that has now a large feed
 * and now a small one: two of them on one core would slow each other.
 */
async function latencies(
  upstream: Program,
  router: Gateway,
  load: LoadProcess,
): Promise<readonly number[][]> {
  const cases = [
    { gateway: direct(upstream), feed: 'small' },
    { gateway: router, feed: 'small' },
    { gateway: router, feed: 'large' },
  ];
  const seen = cases.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [i, { gateway, feed }] of cases.entries()) {
      await fetch(`${upstream.url}/feed?${feed}`);
      const report = await load.run(gateway, { rate: RATE, ms: MS });
      // Of all rounds together: a hiccup of the machine is in one round of one case, the feed in all of its.
      if (round >= 0) seen[i]?.push(...report.latencies);
    }
  }
  return seen;
}
