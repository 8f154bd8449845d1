/** From then on a turn is ended, in milliseconds. */
const LIMIT_MS = 50;
/** The clock is looked at once for so many things that are done. */
const STEPS = 128;
/** Ignored by default and used by nobody; Go's runtime interrupts long turns with it, too. */
const SIGNAL = 'SIGURG';

let isLimited = false;
const listeners: (() => void)[] = [];
let steps = 0;
/** Of the turn, if it was looked at the clock before. */
let firstLookMs: number | undefined;
let isEnding = false;

/**
 * Keeps turns of the event loop short while more sockets are ready than libuv asks the system for in one go, 1,024. It then asks
 * again, up to 48 times, before timers and new sockets get their turn, which are seconds where each costs some microseconds.
 * Only a signal makes it end the turn: after it has come, libuv does not ask again (`uv__io_poll` in `src/unix/linux.c`).
 *
 * For the whole process, and once.
 */
export function limitTurns(): void {
  if (isLimited || process.platform !== 'linux') return;
  isLimited = true;
  process.on(SIGNAL, () => {});
}

/**
 * Has whoever can put work off to later turns do so in a turn that is ended: what the system has reported already, up to 1,024
 * sockets that are ready, comes all the same.
 *
 * @param listener called at most once a turn, in the middle of whatever is being done
 * @returns what undoes it
 */
export function onTurnEnding(listener: () => void): () => void {
  listeners.push(listener);
  return () => {
    const at = listeners.indexOf(listener);
    if (at !== -1) listeners.splice(at, 1);
  };
}

/** To be called for each thing of which thousands may be done in one turn. */
export function countStep(): void {
  steps += 1;
  if (steps >= STEPS) look();
}

function look(): void {
  steps = 0;
  if (!isLimited) return;
  const nowMs = performance.now();
  if (firstLookMs === undefined) {
    firstLookMs = nowMs;
    setImmediate(turnEnded);
  } else if (!isEnding && nowMs - firstLookMs > LIMIT_MS) {
    isEnding = true;
    process.kill(process.pid, SIGNAL);
    for (const listener of listeners) listener();
  }
}

function turnEnded(): void {
  firstLookMs = undefined;
  isEnding = false;
}
