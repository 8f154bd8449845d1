import { setTimeout as pause } from 'node:timers/promises';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

/**
 * A write for every line would cost more than the line: it wakes a thread. The lines wait here and not in sonic-boom,
 * which measures all that waits whenever a line comes; and as bytes, since strings that wait have gone from the
 * processor's caches by the time they are joined.
 */
const PAGE_BYTES = 65_536;
const MAX_WAITING_MS = 100;
/** In UTF-8 a UTF-16 unit takes up to three bytes. */
const MAX_BYTES_PER_UNIT = 3;
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
  const stdout = pino.destination({
    dest: 1,
    sync: false,
    // With 0 a flush would wait for nothing.
    minLength: 1,
    maxLength: MAX_BACKLOG_BYTES,
    contentMode: 'buffer',
  });
  // In this mode it takes bytes, which its types do not say.
  const put = stdout.write.bind(stdout) as unknown as (bytes: Buffer) => void;
  let isFailing = false;
  stdout.on('error', () => (isFailing = true)).on('write', () => (isFailing = false));

  const page = Buffer.alloc(PAGE_BYTES);
  let used = 0;
  const handOver = () => {
    if (used === 0) return;
    put(Buffer.from(page.subarray(0, used)));
    used = 0;
  };
  setInterval(handOver, MAX_WAITING_MS).unref();

  const flush = stdout.flush.bind(stdout);
  stdout.flush = (written) => {
    handOver();
    flush(written);
  };
  // At exit pino calls this, and sonic-boom would try again for ever: on a full disk, or without a reader.
  const flushSync = stdout.flushSync.bind(stdout);
  stdout.flushSync = () => {
    handOver();
    if (!isFailing) flushSync();
  };
  return {
    write(line) {
      const most = line.length * MAX_BYTES_PER_UNIT;
      if (used + most > PAGE_BYTES) handOver();
      if (most <= PAGE_BYTES) used += page.write(line, used);
      else put(Buffer.from(line));
    },
    async finish() {
      const { promise: flushed, resolve } = Promise.withResolvers<void>();
      stdout.flush(() => resolve());
      await Promise.race([flushed, pause(FAREWELL_MS)]);
      stdout.flushSync = () => {};
    },
  };
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
