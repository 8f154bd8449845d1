import { startRouter } from './gateways.ts';
import { RATE, type Round, runRound } from './round.ts';
import type { LoadProcess } from './run-load.ts';
import { median, type Program, quantile, residentBytes } from './support.ts';

const WATCHERS = 10;
const ROUNDS = 20;
const WARM_UP_ROUNDS = 4;

/**
 * Prints what ten people who watch the status page cost each of a thousand requests a second. The same process is now watched and
 * now not, so that what is compared has been measured within seconds.
 */
export async function measureWatchers(upstream: Program, load: LoadProcess): Promise<void> {
  const router = await startRouter(upstream);
  try {
    const alone: Round[] = [];
    const watched: Round[] = [];
    let bytesBefore = 0;
    for (let n = -WARM_UP_ROUNDS; n < ROUNDS; n += 1) {
      if (n === 0) bytesBefore = residentBytes(router.pid);
      // Now one first, now the other.
      for (const isWatched of n % 2 === 0 ? [false, true] : [true, false]) {
        const stop = isWatched ? await watch(router.url) : () => {};
        const one = await runRound(router, load);
        stop();
        if (n >= 0) (isWatched ? watched : alone).push(one);
      }
    }
    const ratio = median(watched.map(({ cpu }, n) => cpu / (alone[n]?.cpu ?? NaN)));
    const p50 = [alone, watched].map((rounds) =>
      quantile(
        rounds.flatMap(({ latencies }) => latencies),
        0.5,
      ),
    );
    const grown = (residentBytes(router.pid) - bytesBefore) / 1_048_576;
    const what = `${WATCHERS} watchers at ${RATE} requests/s`;
    const cpus = [alone, watched].map((rounds) => median(rounds.map(({ cpu }) => cpu)).toFixed(1));
    console.log(
      `${what}, CPU a request`.padEnd(56),
      `${ratio.toFixed(3)} (${cpus.join(' to ')} µs)   ≤ 1.03`,
    );
    console.log(`${what}, p50`.padEnd(56), `${p50.map((ms) => ms.toFixed(2)).join(' to ')} ms`);
    console.log(`${what}, memory grown by`.padEnd(56), `${grown.toFixed(1)} MiB`);
  } finally {
    await router.stop();
  }
}

/** @returns what ends it. */
async function watch(url: string): Promise<() => void> {
  const controller = new AbortController();
  for (let n = 0; n < WATCHERS; n += 1) {
    const response = await fetch(`${url}/autopilot/events`, { signal: controller.signal });
    void response.body?.pipeTo(new WritableStream()).catch(() => {});
  }
  return () => controller.abort();
}
