/**
 * Settings of V8 that it reads at each use, so that a running process can still set them. What each saves:
 * research/PERFORMANCE.md and docs/decisions/0005-settings-of-v8.md.
 */
export const V8_SETTINGS = [
  // A collection in a quiet moment drops the shapes of all objects that only running requests have. The code that was optimized
  // for them goes too, and what takes its place costs each later request and chunk more, for good.
  '--memory-reducer-gc-count=0',
  // By default each further 64 MB of bodies cause a full collection; with these, a tenth more than there is of bodies and heap.
  '--external-memory-accounted-in-global-limit',
  '--external-memory-max-growing-factor=1.1',
  // A request walks through many small functions. By default only 920 bytes of them are taken into each that is optimized.
  '--max-inlined-bytecode-size-cumulative=4600',
] as const;
