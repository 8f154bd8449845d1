/** How much the event loop has to do. */
export interface Load {
  /** How long its turns take, in milliseconds: an average in which the last second weighs most. */
  readonly lagMs: number;
  /** Whether it is so much that new work is refused. */
  readonly isOverload: boolean;
  /** How long turns have been too long by now, in milliseconds. */
  readonly tooLongMs: number;
  /** How many of them were. */
  readonly longTurns: number;
}

export const CALM: Load = { lagMs: 0, isOverload: false, tooLongMs: 0, longTurns: 0 };

/** After so long, two thirds of the average are what has come since. */
const MEMORY_MS = 500;
const PATIENCE_MS = 1_000;
/** One alone is a pause: a large collection of garbage, a machine that stood still. */
const LONG_TURNS = 2;

/**
 * The load after a further turn.
 *
 * @param turnMs how long it took
 * @param sinceLastMs how long ago the turn before it was measured: this one stands for all between
 * @param limitMs 0: nothing is an overload
 */
export function afterTurn(load: Load, turnMs: number, sinceLastMs: number, limitMs: number): Load {
  const lagMs = load.lagMs + (turnMs - load.lagMs) * (1 - Math.exp(-sinceLastMs / MEMORY_MS));
  if (limitMs === 0) return { ...CALM, lagMs };
  if (load.isOverload) return { ...load, lagMs, isOverload: lagMs >= limitMs / 2 };
  if (lagMs <= limitMs) return { ...CALM, lagMs };
  const tooLongMs = load.tooLongMs + sinceLastMs;
  const longTurns = load.longTurns + (turnMs > limitMs ? 1 : 0);
  const isOverload = tooLongMs >= PATIENCE_MS && longTurns >= LONG_TURNS;
  return isOverload ? { ...CALM, lagMs, isOverload } : { lagMs, isOverload, tooLongMs, longTurns };
}
