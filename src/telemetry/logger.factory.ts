import { setTimeout as pause } from 'node:timers/promises';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

/**
 * A write for every line would cost more than the line. But sonic-boom measures all that waits whenever a line
 * comes, which copies it: with 64 KB waiting, that was a fifth of a request's time. Pino itself writes what is
 * left at exit.
 */
const MAX_WAITING_BYTES = 4_096;
const MAX_WAITING_MS = 100;
/** What waits for a reader that has stopped reading; lines beyond it are dropped. */
const MAX_BACKLOG_BYTES = 8 * 1_048_576;

/** How long the last lines may take. */
const FAREWELL_MS = 500;

export interface LogOutput extends DestinationStream {
  /** Writes what still waits, for a short time. Nothing is written from then on, at exit neither. */
  finish(): Promise<void>;
}

/** Standard output, written to behind the requests' backs. One that cannot be written costs the log alone. */
export function createDestination(): LogOutput {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: MAX_WAITING_BYTES,
    maxWrite: MAX_WAITING_BYTES + 1,
    maxLength: MAX_BACKLOG_BYTES,
    periodicFlush: MAX_WAITING_MS,
  });
  let isFailing = false;
  destination.on('error', () => (isFailing = true)).on('write', () => (isFailing = false));
  // At exit pino calls this, and sonic-boom would try again for ever: on a full disk, or without a reader.
  const flushSync = destination.flushSync.bind(destination);
  destination.flushSync = () => {
    if (!isFailing) flushSync();
  };
  const finish = async (): Promise<void> => {
    const { promise: flushed, resolve } = Promise.withResolvers<void>();
    destination.flush(() => resolve());
    await Promise.race([flushed, pause(FAREWELL_MS)]);
    destination.flushSync = () => {};
  };
  return Object.assign(destination, { finish });
}

export function createLogger(level: string, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
