/** A run of a feed's refresh that has ended, and what there was before it. Durations in milliseconds. */
export interface FinishedRun {
  /** The feed's interval. */
  readonly everyMs: number;
  readonly tookMs: number;
  /** How many runs in a row have failed, this one included; 0: it was good. */
  readonly failures: number;
  /** Whether the feed was ever loaded. */
  readonly isLoaded: boolean;
}

const FIRST_RETRY_MS = 1_000;
/** Until a feed was loaded once, clients wait for it: whoever comes back is asked again before they have given up. */
const MAX_RETRY_BEFORE_LOADED_MS = 4_000;
/** Replicas that failed together are not to come back together. */
const JITTER = 0.2;

/**
 * How long after the end of a run the next one begins, in milliseconds. Good runs begin a whole number of intervals apart; a
 * failed one is tried again after 1 s, 2 s, 4 s and so on, at most the interval.
 *
 * @param random from 0 up to 1
 */
export function delayToNextRun({ everyMs, tookMs, failures, isLoaded }: FinishedRun, random: number): number {
  if (failures === 0) return everyMs - (tookMs % everyMs);
  const maxMs = isLoaded ? everyMs : Math.min(everyMs, MAX_RETRY_BEFORE_LOADED_MS);
  const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), maxMs);
  return Math.min(backoffMs * (1 - JITTER + 2 * JITTER * random), maxMs);
}
