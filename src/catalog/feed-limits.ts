import type { RowLimits } from '../runtime/row-scanner.js';

/** What is far more than any feed has, and far less than would hold the process up or fill its memory. */
export const FEED_LIMITS: RowLimits = {
  maxRows: 50_000,
  // Each takes up to 150 bytes, and twice: what was last good stays until the next one has been read. 32 MiB of real rows have less.
  maxValues: 1_000_000,
  maxDepth: 64,
  maxRowBytes: 262_144,
  maxRowValues: 4_096,
};

/** The statistics have a row for each chute and day, some 77,000 where a server does not look at dates. Nothing but figures is kept of a row. */
export const STATS_LIMITS: RowLimits = { ...FEED_LIMITS, maxRows: 200_000, maxValues: 2_000_000 };
