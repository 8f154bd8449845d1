import type { ErrorResponse } from '../openai/error-response.js';
import { type FlatHeaders, headerOf } from './headers.js';

/** How far back an unframed error is looked for, in bytes. */
const TAIL_BYTES = 16 * 1024;

/** Chutes ends a stream that fails half-way with a bare `{"error":…}` line and a clean HTTP end. */
const UNFRAMED_ERROR = /(?:^|[\r\n])[ \t]*\{[ \t]*"error"[ \t]*:[^\r\n]*$/;

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

/** The end of an event stream as it passes, without copying it. */
export class EventStreamTail {
  private chunks: Buffer[] = [];
  private bytes = 0;
  /** Whether the last line has ended. */
  private isLineEnded = false;

  push(chunk: Buffer): void {
    // With a new line that is not blank, those before it are of no interest: mostly a chunk is one event, and the only one kept.
    if (this.isLineEnded && (chunk[0] as number) > SPACE) {
      this.chunks.length = 0;
      this.bytes = 0;
    }
    const last = chunk[chunk.length - 1];
    this.isLineEnded = last === LF || last === CR;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    while (this.bytes - (this.chunks[0] as Buffer).length >= TAIL_BYTES) {
      this.bytes -= (this.chunks.shift() as Buffer).length;
    }
  }

  endsWithUnframedError(): boolean {
    // Trimmed first, since a pattern that ends with optional white space takes quadratic time.
    return UNFRAMED_ERROR.test(this.text().trimEnd());
  }

  /** An event that reads as one of its own, whatever the stream has ended with. */
  errorEvent(body: ErrorResponse): string {
    const text = this.text();
    const separator = text === '' || /(?:\n\n|\r\r|\r\n\r\n)$/.test(text) ? '' : '\n\n';
    return `${separator}data: ${JSON.stringify(body)}\n\n`;
  }

  private text(): string {
    return Buffer.concat(this.chunks).subarray(-TAIL_BYTES).toString('latin1');
  }
}
