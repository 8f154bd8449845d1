import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { DestinationStream } from 'pino';
import { LogBacklog } from './log-backlog.js';

const STDOUT = 1;
const PAGE_BYTES = 65_536;
const MAX_BACKLOG_BYTES = 8 * 1_048_576;
/** How long a line waits for others, to be written along with them. */
const MAX_WAITING_MS = 100;
/** How often one that could not be written is tried again. */
const RETRY_MS = 10;
/** How long the last lines may take. */
const FAREWELL_MS = 500;

export interface LogOutput extends DestinationStream {
  /** Writes what still waits, for a short time. Nothing is written from then on, at exit neither. */
  finish(): Promise<void>;
}

/**
 * Standard output. It keeps neither a request nor the end of the process waiting; one that cannot be written costs the log
 * alone.
 */
export function createLogOutput(): LogOutput {
  return new StdoutLog();
}

class StdoutLog implements LogOutput {
  private readonly backlog = new LogBacklog(
    { pageBytes: PAGE_BYTES, maxBytes: MAX_BACKLOG_BYTES },
    noticeOfLoss,
  );
  private readonly fd: number;
  private readonly flush: () => void;
  /** What a thread is writing. */
  private bytesInPool = 0;
  private retry: NodeJS.Timeout | undefined;
  private isFinished = false;

  constructor() {
    const nonBlocking = nonBlockingStdout();
    this.fd = nonBlocking ?? STDOUT;
    this.flush = nonBlocking === undefined ? this.flushInPool : this.flushNow;
    setInterval(this.flush, MAX_WAITING_MS).unref();
    process.on('exit', this.flushAtExit);
  }

  write(line: string): void {
    if (this.backlog.add(line)) this.flush();
  }

  async finish(): Promise<void> {
    const deadlineMs = performance.now() + FAREWELL_MS;
    for (this.flush(); !this.backlog.isEmpty && performance.now() < deadlineMs; this.flush())
      await pause(RETRY_MS);
    this.isFinished = true;
  }

  /** Into the buffer of a pipe, a socket or a terminal, which costs less than to wake a thread. */
  private readonly flushNow = (): void => {
    if (!this.isFinished && !this.wroteAll()) this.tryLater();
  };

  /** A disk may take its time. */
  private readonly flushInPool = (): void => {
    if (this.isFinished || this.bytesInPool > 0 || this.backlog.isEmpty) return;
    const bytes = this.backlog.next();
    this.bytesInPool = bytes.length;
    write(this.fd, bytes, (error, written) => {
      this.bytesInPool = 0;
      if (error) return this.tryLater();
      this.backlog.advance(written);
      this.flushInPool();
    });
  };

  private tryLater(): void {
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      this.flush();
    }, RETRY_MS).unref();
  }

  /** After an exception, too. What does not go out at once is given up. */
  private readonly flushAtExit = (): void => {
    if (this.isFinished) return;
    this.backlog.advance(this.bytesInPool);
    this.wroteAll();
  };

  private wroteAll(): boolean {
    try {
      while (!this.backlog.isEmpty) {
        const written = writeSync(this.fd, this.backlog.next());
        if (written === 0) return false;
        this.backlog.advance(written);
      }
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * A write to a reader that does not read blocks, be it in a thread, and no process ends before its threads do.
 *
 * @returns a descriptor of standard output where such a write fails; `undefined` for a file, which nobody has to read.
 */
function nonBlockingStdout(): number | undefined {
  const kind = fstatSync(STDOUT);
  if (kind.isFIFO() || kind.isCharacterDevice()) {
    try {
      // Opened anew: whether a descriptor blocks is shared with all processes that have it from the same parent.
      return openSync(
        `/proc/self/fd/${STDOUT}`,
        constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
      );
    } catch {
      // Not on Linux, or the pipe belongs to another user.
    }
  }
  if (!kind.isFIFO() && !kind.isSocket()) return undefined;
  // libuv makes a pipe or socket non-blocking when it opens a stream for it, and Node has that done when it is asked for.
  void process.stdout;
  return STDOUT;
}

function noticeOfLoss(dropped: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, dropped, msg: 'log lines dropped' })}\n`;
}
