/** From then on a turn is ended, in milliseconds. */
const LIMIT_MS = 50;
/** The clock is looked at once for so many things that are done. */
const STEPS = 128;
/** So much of a turn that is ended has gone to what clients send before it is put off, in milliseconds. */
const READING_MS = 25;
/** The same for the turns that follow: a client that sends fast would else have each of them to itself. */
const READING_ON_MS = 5;
/** Ignored by default and used by nobody; Go's runtime interrupts long turns with it, too. */
const SIGNAL = 'SIGURG';

let isLimited = false;
const listeners: (() => void)[] = [];
let steps = 0;
/** Those of them that were for what clients send. */
let readSteps = 0;
/** Of the turn, if it was looked at the clock before. */
let firstLookMs: number | undefined;
let lastLookMs = 0;
/** What of the turn has gone to what clients send, by the share of its steps. */
let readingMs = 0;
let isEnding = false;
let isPutOff = false;
let wasPutOff = false;

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
 * Has whoever can put off what clients send do so in a turn that is ended and has taken long because of it: what the system has
 * reported already, up to 1,024 sockets that are ready, comes all the same.
 *
 * @param listener called at most once a turn, in the middle of whatever is being done
 * @returns what undoes it
 */
export function onTooMuchRead(listener: () => void): () => void {
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

/** To be called instead for each thing that a client has sent. */
export function countReadStep(): void {
  readSteps += 1;
  countStep();
}

function look(): void {
  const readShare = readSteps / steps;
  steps = 0;
  readSteps = 0;
  if (!isLimited) return;
  const nowMs = performance.now();
  if (firstLookMs === undefined) {
    firstLookMs = nowMs;
    setImmediate(turnEnded);
  } else {
    readingMs += (nowMs - lastLookMs) * readShare;
    const isLong = nowMs - firstLookMs > LIMIT_MS;
    const isMuchRead = wasPutOff ? readingMs > READING_ON_MS : isLong && readingMs > READING_MS;
    if (isLong || isMuchRead) endTurn(isMuchRead);
  }
  lastLookMs = nowMs;
}

function endTurn(isMuchRead: boolean): void {
  if (!isEnding) {
    isEnding = true;
    process.kill(process.pid, SIGNAL);
  }
  if (isMuchRead && !isPutOff) {
    isPutOff = true;
    for (const listener of listeners) listener();
  }
}

function turnEnded(): void {
  firstLookMs = undefined;
  readingMs = 0;
  isEnding = false;
  wasPutOff = isPutOff;
  isPutOff = false;
}
