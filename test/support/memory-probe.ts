import { type Stall, watchStalls } from './stall-watch.ts';

// Loaded into a router before the router itself (`--import`), with `--expose-gc` and a channel to its parent.

/** What a process holds after a garbage collection. */
export interface Held {
  readonly heapBytes: number;
  /** Buffers and what else lies outside the heap. */
  readonly externalBytes: number;
  readonly residentBytes: number;
  /** Timers that would fire, and keep the process alive until then. */
  readonly timers: number;
}

/** What it tells its parent: what it holds when it is asked, and unasked when it has stood still. */
export type Report = { readonly held: Held } | { readonly stall: Stall };

const tell = (report: Report) => process.send?.(report);

watchStalls((stall) => tell({ stall }));

process.on('message', () => {
  // A second one takes what only the first one's finalizers let go of.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    tell({ held: { heapBytes: heapUsed, externalBytes: external, residentBytes: rss, timers } });
  });
});
// It is not the probe that keeps the router alive.
process.channel?.unref();
