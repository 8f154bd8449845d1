/** A server-sent event. */
export interface StreamEvent {
  /** Empty where the stream gives none. */
  readonly name: string;
  /** Its lines joined by `\n`; empty where it has none. */
  readonly data: string;
}

/** Puts the lines of an event stream together to events, as the HTML standard has it. */
export class EventLines {
  private name = '';
  private data: string | undefined;

  /**
   * @param line without its end
   * @returns the event that ends with this line. One without data is none for clients, but an `error` is told by its name alone.
   */
  push(line: string): StreamEvent | undefined {
    if (line === '') return this.take();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    if (field !== 'data' && field !== 'event') return undefined;
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.name = value;
    else this.data = this.data === undefined ? value : `${this.data}\n${value}`;
    return undefined;
  }

  private take(): StreamEvent | undefined {
    const { name, data } = this;
    this.name = '';
    this.data = undefined;
    return data === undefined && name !== 'error' ? undefined : { name, data: data ?? '' };
  }
}
