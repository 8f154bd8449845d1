import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

/** A write for every line would cost more than the line. Pino itself writes what is left at exit. */
const MAX_WAITING_BYTES = 65_536;
const MAX_WAITING_MS = 100;

/** Standard output, written to behind the requests' backs. */
export function createDestination(): DestinationStream {
  return pino.destination({
    dest: 1,
    sync: false,
    minLength: MAX_WAITING_BYTES,
    maxWrite: 2 * MAX_WAITING_BYTES,
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
