import { type Dialect, errorEvent } from '../openai/dialect.js';
import type { ErrorResponse } from '../openai/error-response.js';
import { type FlatHeaders, headerOf } from './headers.js';
import { type StreamEnding, streamEnding } from './stream-ending.js';

/** How far back the end of a stream is looked at, in bytes. */
const TAIL_BYTES = 16 * 1024;
/** How much of its beginning is kept, in bytes, where its end alone does not tell whether it is one. */
const HEAD_BYTES = 1_024;
/** How many chunks that begin with a line are kept at least, however small they are: those behind the last one of the answer are few. */
const KEPT_LINES = 8;

export function isEventStream(headers: FlatHeaders): boolean {
  const type = headerOf(headers, 'content-type');
  return type !== undefined && /^[ \t]*text\/event-stream[ \t]*(?:;|$)/i.test(type);
}

/** Whether something may be added to the body: not where it is compressed. */
export function isIdentityEncoded(headers: FlatHeaders): boolean {
  const encoding = headerOf(headers, 'content-encoding');
  return encoding === undefined || /^[ \t]*(?:identity[ \t]*)?$/i.test(encoding);
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * The end of an event stream as it passes, without copying it. Mostly a chunk is one event; of those that begin with a line only the
 * last few are kept, in two generations that take turns. To keep all chunks of the last 16 KB would cost more than to relay them.
 */
export class EventStreamTail {
  private older: Buffer[] = [];
  private chunks: Buffer[] = [];
  /** Of `chunks`, as are the lines. */
  private bytes = 0;
  private lines = 0;
  /** Whether nothing has been let go of. */
  private isWhole = true;
  /** Whether the last line has ended. */
  private isLineEnded = false;
  private readonly head: Buffer[] = [];
  private missingHeadBytes: number;

  constructor(private readonly dialect: Dialect = 'openai') {
    this.missingHeadBytes = dialect === 'openai' ? 0 : HEAD_BYTES;
  }

  push(chunk: Buffer): void {
    if (this.isLineEnded && (chunk[0] as number) > SPACE && ++this.lines > KEPT_LINES) this.turn();
    const last = chunk[chunk.length - 1];
    this.isLineEnded = last === LF || last === CR;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes > TAIL_BYTES) this.trim();
    if (this.missingHeadBytes > 0) this.keepHead(chunk);
  }

  /** How the stream has ended, if it ended well in HTTP. */
  ending(): StreamEnding {
    const bytes = Buffer.concat([...this.older, ...this.chunks]);
    const start = Math.max(0, bytes.length - TAIL_BYTES);
    const beginsLine = start === 0 || bytes[start - 1] === LF || bytes[start - 1] === CR;
    const tail = bytes.toString('latin1', start);
    return streamEnding(this.dialect, {
      head: Buffer.concat(this.head).toString('latin1'),
      tail,
      beginsLine,
      isWhole: this.isWhole,
    });
  }

  /** An event that reads as one of its own, whatever the stream has ended with. */
  errorEvent(body: ErrorResponse): string {
    const end = Buffer.concat([...this.older, ...this.chunks].slice(-4)).toString('latin1');
    const separator = end === '' || /(?:\n\n|\r\r|\r\n\r\n)$/.test(end) ? '' : '\n\n';
    return separator + errorEvent(this.dialect, body, numberAfter(end));
  }

  private turn(): void {
    const { older } = this;
    if (older.length > 0) this.isWhole = false;
    older.length = 0;
    this.older = this.chunks;
    this.chunks = older;
    this.bytes = 0;
    this.lines = 1;
  }

  /** Leaves a byte more than is looked at, which tells whether that begins with a line. */
  private trim(): void {
    this.isWhole = false;
    this.older.length = 0;
    while (this.bytes - (this.chunks[0] as Buffer).length > TAIL_BYTES) {
      this.bytes -= (this.chunks.shift() as Buffer).length;
    }
  }

  private keepHead(chunk: Buffer): void {
    // A copy, so that not all that was read with it is kept for as long as the stream lives.
    this.head.push(Buffer.from(chunk.subarray(0, this.missingHeadBytes)));
    this.missingHeadBytes -= chunk.length;
  }
}

/** The number of the event that follows, in the Responses API. @param end of a stream */
function numberAfter(end: string): number {
  const last = [...end.matchAll(/"sequence_number"\s*:\s*(\d{1,9})\b/g)].at(-1)?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
