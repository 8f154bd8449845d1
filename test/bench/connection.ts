import { connect, type Socket } from 'node:net';
import { MessageReader } from './message-reader.ts';

export interface Answer {
  /** Whether it came in full, and with status 200. */
  readonly isGood: boolean;
  /** How many events it had, if it was a stream: they end with an empty line. */
  readonly chunks: number;
}

const NEWLINE = 0x0a;

/** A kept connection that sends one request at a time. */
export class Connection {
  isOpen = true;
  private readonly socket: Socket;
  private answered: ((answer: Answer) => void) | undefined;
  private chunks = 0;
  private lastByte = 0;

  constructor(port: number) {
    const reader = new MessageReader(this);
    this.socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.socket.on('data', (bytes: Buffer) => reader.read(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isOpen = false;
      this.onEnd('');
    });
  }

  /** @param wire head and body, as they are sent. */
  ask(wire: Buffer): Promise<Answer> {
    this.chunks = 0;
    this.socket.write(wire);
    return new Promise((resolve) => {
      this.answered = resolve;
    });
  }

  onBody(bytes: Buffer): void {
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
      if ((at === 0 ? this.lastByte : bytes[at - 1]) === NEWLINE) this.chunks += 1;
    }
    this.lastByte = bytes.at(-1) ?? this.lastByte;
  }

  onEnd(head: string): void {
    const { answered, chunks } = this;
    this.answered = undefined;
    answered?.({ isGood: head.startsWith('HTTP/1.1 200'), chunks });
  }
}
