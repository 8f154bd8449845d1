import { request } from 'node:http';
import { once } from 'node:events';
import { startRouter } from './gateways.ts';
import { type LoadProcess, startLoad } from './run-load.ts';
import { peakBytes, type Program, residentBytes, restartPeak } from './support.ts';

const STREAMS = 500;
const BURST = 200;
/** Its requests are answered when all have come: the router has all of their bodies at once. */
const BURST_PATH = `/v1/chat/completions?together=${BURST}`;
const MB = 1_048_576;

/** Prints what open streams cost in memory, and whether bursts of large requests leave any behind. */
export async function measureMemory(upstream: Program, load: LoadProcess): Promise<void> {
  await measureStreams(upstream, load);
  await measureBursts(upstream);
}

async function measureStreams(upstream: Program, load: LoadProcess): Promise<void> {
  const router = await startRouter(upstream);
  try {
    await load.run(router, { ms: 3_000 });
    const before = residentBytes(router.pid);
    const open = await Promise.all(Array.from({ length: STREAMS }, () => openStream(router)));
    const each = (residentBytes(router.pid) - before) / STREAMS / 1_024;
    console.log(
      `memory of an open, quiet stream (of ${STREAMS})`.padEnd(56),
      `${each.toFixed(0)} KB   ≤ 64 KB`,
    );
    for (const close of open) close();
  } finally {
    await router.stop();
  }
}

/** A stream whose first chunk has come and whose next will not. @returns what closes it */
async function openStream({ url }: Program): Promise<() => void> {
  const body = JSON.stringify({ model: 'chutesai/AutoPilot', stream: true, messages: [] });
  const call = request(`${url}/v1/chat/completions?quiet`, { method: 'POST', agent: false });
  call.on('error', () => {});
  call.end(body);
  const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream];
  await once(response, 'data');
  return () => call.destroy();
}

async function measureBursts(upstream: Program): Promise<void> {
  const router = await startRouter(upstream);
  try {
    const peaks: number[] = [];
    // The first one, which does not count, meets code that is not compiled and a heap that has not grown.
    for (let burst = 0; burst < 4; burst += 1) {
      // From new connections each time: those that are kept would make the next burst a denser one.
      const load = startLoad();
      restartPeak(router.pid);
      await load.run(router, { path: BURST_PATH, bytes: MB, connections: BURST, each: 1, ms: 60_000 });
      await load.stop();
      peaks.push(peakBytes(router.pid));
    }
    const [warmUp, ...counted] = peaks.map((peak) => (peak / MB).toFixed(0));
    const [, first = NaN, , third = NaN] = peaks;
    const change = ((third / first - 1) * 100).toFixed(0);
    console.log(
      '200 requests of 1 MiB at once, three times: peaks'.padEnd(56),
      `${counted.join(', ')} MB (after one of ${warmUp})   third to first ${change} %   ≤ 10 %`,
    );
  } finally {
    await router.stop();
  }
}
