const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

export interface MessageListener {
  /** Once per message, last. @param head its first line and headers */
  onEnd(head: string): void;
  /** Of a chunked body with its framing. */
  onBody?(bytes: Buffer): void;
}

/**
 * Reads of well-behaved HTTP messages, one after the other on a connection, what it takes to see their ends. A library would take
 * longer than some gateways do, and these would wait for the benchmark instead of the other way round.
 */
export class MessageReader {
  private readonly listener: MessageListener;
  private head = '';
  private isInBody = false;
  /** Bytes of the body that are still to come; `undefined` where it is chunked. */
  private left: number | undefined;
  /** The last bytes of a chunked body. */
  private tail = '';

  constructor(listener: MessageListener) {
    this.listener = listener;
  }

  read(bytes: Buffer): void {
    if (this.isInBody) {
      this.readBody(bytes);
      return;
    }
    const begun = this.head.length;
    this.head += bytes.toString('latin1');
    const end = this.head.indexOf(HEAD_END);
    if (end === -1) return;
    this.head = this.head.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.head)?.[1] ?? 0;
    this.left = /\r\ntransfer-encoding: *chunked/i.test(this.head) ? undefined : Number(length);
    this.isInBody = true;
    this.readBody(bytes.subarray(end + HEAD_END.length - begun));
  }

  private readBody(bytes: Buffer): void {
    this.listener.onBody?.(bytes);
    if (this.left !== undefined) {
      this.left -= bytes.length;
      if (this.left < 0) throw new Error('There is more than one message.');
      if (this.left === 0) this.finish();
      return;
    }
    const last = bytes.subarray(-LAST_CHUNK.length).toString('latin1');
    this.tail = (this.tail + last).slice(-LAST_CHUNK.length);
    if (this.tail === LAST_CHUNK) this.finish();
  }

  private finish(): void {
    const { head } = this;
    this.head = '';
    this.isInBody = false;
    this.tail = '';
    this.listener.onEnd(head);
  }
}
