/** A time in which a process stood still, in milliseconds since the epoch. */
export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

const TICK_MS = 10;
/** Less is a process at work. */
const LEAST_MS = 50;

/** The moment on a clock that only goes forward and that processes share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Tells of every time that this process's event loop stands still. */
export function watchStalls(onStall: (stall: Stall) => void): void {
  let dueMs = nowMs() + TICK_MS;
  setInterval(() => {
    const toMs = nowMs();
    if (toMs - dueMs >= LEAST_MS) onStall({ fromMs: dueMs, toMs });
    dueMs = toMs + TICK_MS;
  }, TICK_MS).unref();
}
