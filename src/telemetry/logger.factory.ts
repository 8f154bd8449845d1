import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

/** Buffered: a request never waits for its log line. Flushed at exit by pino itself. */
export function createDestination(): DestinationStream {
  return pino.destination({ dest: 1, sync: false });
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
