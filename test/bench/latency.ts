import { direct, LOAD_CORE, startRouter } from './gateways.ts';
import type { Gateway } from './gateways.ts';
import { runLoad } from './run-load.ts';
import { median, type Program } from './support.ts';

const RATE = 300;
const ROUNDS = 5;
const MS = 3_000;

/** Prints what the router adds to the time of an answer at 300 requests a second, and what a busy feed adds to that. */
export async function measureLatency(upstream: Program): Promise<void> {
  const calm = await startRouter(upstream, { UTILIZATION_REFRESH_MS: '3600000' }, 'calm');
  const busy = await startRouter(
    upstream,
    { UTILIZATION_URL: `${upstream.url}/chutes/utilization?large`, UTILIZATION_REFRESH_MS: '500' },
    'busy',
  );
  try {
    const [without, withRouter, withFeed] = await quantiles([direct(upstream), calm, busy]);
    if (!without || !withRouter || !withFeed) return;
    const added = withRouter.p50 - without.p50;
    console.log(`added latency at ${RATE} requests/s, p50`.padEnd(56), `${added.toFixed(2)} ms   ≤ 1 ms`);
    const moved = withFeed.p99 - withRouter.p99;
    console.log(
      'p99 moved by a feed of 450 KB, changed every 500 ms'.padEnd(56),
      `${moved.toFixed(2)} ms   ≤ 2 ms`,
    );
  } finally {
    await Promise.all([calm.stop(), busy.stop()]);
  }
}

async function quantiles(gateways: readonly Gateway[]): Promise<{ p50: number; p99: number }[]> {
  const reports = gateways.map((): { p50: number; p99: number }[] => []);
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [i, gateway] of gateways.entries()) {
      const report = await runLoad(gateway, LOAD_CORE, ['--rate', String(RATE), '--ms', String(MS)]);
      // The first round is for warming up.
      if (round >= 0) reports[i]?.push(report);
    }
  }
  return reports.map((rounds) => ({
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
  }));
}
