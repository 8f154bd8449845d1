import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

/**
 * A write for every line would cost more than the line. But sonic-boom measures all that waits whenever a line
 * comes, which copies it: with 64 KB waiting, that was a fifth of a request's time. Pino itself writes what is
 * left at exit.
 */
const MAX_WAITING_BYTES = 4_096;
const MAX_WAITING_MS = 100;

/** Standard output, written to behind the requests' backs. */
export function createDestination(): DestinationStream {
  return pino.destination({
    dest: 1,
    sync: false,
    minLength: MAX_WAITING_BYTES,
    maxWrite: MAX_WAITING_BYTES + 1,
    periodicFlush: MAX_WAITING_MS,
  });
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
