import { monitorEventLoopDelay } from 'node:perf_hooks';

// Loaded into a router before the router itself (`--import`), with `--expose-gc` and a channel to its parent.

/** What a process holds after a garbage collection. */
export interface Held {
  readonly heapBytes: number;
  /** Buffers and what else lies outside the heap. */
  readonly externalBytes: number;
  readonly residentBytes: number;
  /** Timers that would fire, and keep the process alive until then. */
  readonly timers: number;
  /** The longest that its event loop has stood still, in milliseconds. */
  readonly longestDelayMs: number;
}

const delay = monitorEventLoopDelay();
delay.enable();

process.on('message', () => {
  // A second one takes what only the first one's finalizers let go of.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    process.send?.({
      heapBytes: heapUsed,
      externalBytes: external,
      residentBytes: rss,
      timers,
      longestDelayMs: delay.max / 1e6,
    } satisfies Held);
  });
});
// It is not the probe that keeps the router alive.
process.channel?.unref();
