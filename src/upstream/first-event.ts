import { errorOf, isUnframed, unframedErrorOf } from './error-event.js';
import { EventLines, type StreamEvent } from './event-lines.js';
import { parseObject } from './json.js';

/** How a stream begins: with an event that speaks for it, with an error, or so far with neither. */
export type Beginning = 'more' | 'good' | 'error';

/** A stream that has sent this much without a whole event is good. */
export const MAX_FIRST_EVENT_BYTES = 16 * 1024;

/** A byte order mark, a character for each byte. */
const BOM = '\u{ef}\u{bb}\u{bf}';

/** Reads an event stream up to its first whole event. Each byte is looked at once, however they are cut into chunks. */
export class FirstEvent {
  private foundError: unknown;
  private readonly lines = new EventLines();
  private bytes = 0;
  private isBegun = false;
  /** Whether a `\n` that comes next belongs to the `\r` before it. */
  private isHalfEnded = false;
  /** The line that has not ended yet, and JSON lines since the last blank one that are no part of an event. A character for each byte. */
  private line = '';
  private unframed = '';

  /** The error that the stream begins with, as its JSON has it or as text. */
  get error(): unknown {
    return this.foundError;
  }

  /** Not to be called again after another answer than `more`. */
  push(chunk: Buffer): Beginning {
    const text = chunk.toString('latin1', 0, MAX_FIRST_EVENT_BYTES - this.bytes);
    if (text === '') return 'more';
    this.bytes += text.length;
    const lineEnd = /\r\n|\r|\n/g;
    let start = this.isHalfEnded && text.startsWith('\n') ? 1 : 0;
    lineEnd.lastIndex = start;
    this.isHalfEnded = text.endsWith('\r');
    for (let end = lineEnd.exec(text); end; end = lineEnd.exec(text)) {
      const beginning = this.take(this.line + text.slice(start, end.index));
      if (beginning !== 'more') return beginning;
      this.line = '';
      start = lineEnd.lastIndex;
    }
    this.line += text.slice(start);
    return this.bytes >= MAX_FIRST_EVENT_BYTES ? 'good' : 'more';
  }

  /** The stream has ended well before it was more than `more`: what is held is read as if a blank line followed. */
  end(): 'good' | 'error' {
    const beginning = this.line === '' ? 'more' : this.take(this.line);
    return beginning === 'error' || this.take('') === 'error' ? 'error' : 'good';
  }

  private take(bytes: string): Beginning {
    const line = !this.isBegun && bytes.startsWith(BOM) ? bytes.slice(BOM.length) : bytes;
    this.isBegun = true;
    const event = this.lines.push(line);
    if (line === '') return this.takeBlank(event);
    if (this.unframed === '' && !isUnframed(line)) return 'more';
    // Chutes writes it as one line; whether several are one is seen where they end.
    if (this.unframed === '') this.foundError = parseObject(decode(line))?.['error'] ?? undefined;
    this.unframed += `${line}\n`;
    return this.foundError === undefined ? 'more' : 'error';
  }

  private takeBlank(event: StreamEvent | undefined): Beginning {
    const { unframed } = this;
    this.unframed = '';
    this.foundError = unframed === '' ? undefined : unframedErrorOf(decode(unframed));
    if (this.foundError === undefined && event && errorOf(event) !== undefined) {
      this.foundError = errorOf({ name: event.name, data: decode(event.data) });
    }
    if (this.foundError !== undefined) return 'error';
    return event ? 'good' : 'more';
  }
}

function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
