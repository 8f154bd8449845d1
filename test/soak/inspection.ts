import type { Held } from '../support/memory-probe.ts';
import type { Soak } from './soak.ts';
import { UPSTREAM_MAX_CONNECTIONS } from './world.ts';

const MB = 1024 * 1024;
/** Within ten minutes, a router would grow by more that leaked a kilobyte for one request in ten. */
const HEAP_GROWTH_BYTES = 4 * MB;
/** What the process has of the system goes up and down with the size of what has passed. */
const RESIDENT_GROWTH_BYTES = 100 * MB;
/** Feeds are fetched all the time, over a connection or two, and each has a few timers. */
const FEED_SOCKETS = 2;
const FEED_TIMERS = 4;
/** The upstream's connections are kept for 4 s. */
const CONNECTIONS_GONE_MS = 10_000;

/** What an idle router has open. */
export interface Idle {
  readonly sockets: number;
  readonly timers: number;
}

export async function idleOf({ router }: Soak): Promise<Idle> {
  return { sockets: router.sockets, timers: (await router.held()).timers };
}

/** Checks, with no load, that the router holds on to nothing. */
export async function checkIdle(soak: Soak, before: Idle): Promise<void> {
  const { router, upstream } = soak;
  soak.hangUp();
  await soak.until(
    'No connection to the upstream is left',
    () => upstream.front.connections === 0,
    CONNECTIONS_GONE_MS,
  );
  await soak.until(
    `No more sockets than the ${before.sockets} before the load, and the feeds' own`,
    () => router.sockets <= before.sockets + FEED_SOCKETS,
  );
  await soak.until(
    `No more timers than the ${before.timers} before the load, and the feeds' own`,
    async () => (await router.held()).timers <= before.timers + FEED_TIMERS,
  );
}

/** Checks that the metrics say what the log lines say, and that the fault of the way explains what it lost. */
export async function checkCounts(soak: Soak): Promise<void> {
  const { tally } = soak.ledger;
  const metrics = await soak.metrics();
  const compare = (name: string, expected: number) => {
    const value = metrics.sum(name);
    if (value !== expected) tally.problems.push(`${name} is ${value}, the log lines say ${expected}.`);
  };
  compare('requests_active', 0);
  compare('requests_total', tally.logLines);
  compare('failover_reason_total', tally.failovers);
  compare('client_aborts_total', tally.clientsGone);
  const { brokenOnTheWay } = tally.attempts;
  const { cut, refusals } = soak.upstream.front.counts;
  // When the listener closes, the system resets the connections that nobody has accepted yet, all of them at most.
  const resetUnheard = refusals * UPSTREAM_MAX_CONNECTIONS;
  for (const late of tally.late) {
    const stoodMs = Math.round(soak.stalls.within(late));
    if (stoodMs >= late.excusedByMs) continue;
    const tookMs = Math.round(late.toMs - late.fromMs);
    tally.problems.push(`${late.what}: of ${tookMs} ms, nothing stood still but for ${stoodMs} ms.`);
  }
  if (brokenOnTheWay > cut + resetUnheard)
    tally.problems.push(
      `${brokenOnTheWay} attempts got lost, by ${cut} cuts and ${refusals} closed listeners.`,
    );
}

/** Checks that nothing has grown since the first half of the rounds, of which the very first is the warm-up. */
export function checkMemory(soak: Soak, measured: readonly Held[]): void {
  const last = measured.at(-1);
  const before = measured.slice(1, Math.ceil(measured.length / 2));
  if (!last || before.length === 0) return;
  const check = (what: string, name: keyof Held, mostBytes: number) => {
    const grown = last[name] - Math.min(...before.map((held) => held[name]));
    if (grown > mostBytes) soak.ledger.tally.problems.push(`The ${what} has grown by ${inMb(grown)} MB.`);
  };
  check('heap', 'heapBytes', HEAP_GROWTH_BYTES);
  check('memory outside the heap', 'externalBytes', HEAP_GROWTH_BYTES);
  check('resident memory', 'residentBytes', RESIDENT_GROWTH_BYTES);
}

/** Checks how the process has ended. Whatever is wrong here comes first: it explains the rest. */
export function checkEnd({ router, ledger }: Soak): void {
  const { exit, stderr } = router;
  const { problems } = ledger.tally;
  if (stderr !== '') problems.unshift(`The router wrote to its standard error: ${stderr}`);
  if (exit?.code !== 0) problems.unshift(`The router ended with ${exit?.code ?? exit?.signal}.`);
}

export function inMb(bytes: number): string {
  return (bytes / MB).toFixed(1);
}
