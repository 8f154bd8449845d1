import type { ServerResponse } from 'node:http';
import type { RecordedRequest } from './recorded-request.js';

export type HeaderFields = Readonly<Record<string, string | string[]>>;

/** Thrown out of every wait of an exchange that is over, so that a script just ends. */
export class ExchangeOver extends Error {
  constructor() {
    super('The exchange is over.');
    this.name = 'ExchangeOver';
  }
}

/** One request and the answer in the making, with control over every byte of it. */
export class Exchange {
  /** Resolves when the exchange is over, for whatever reason. */
  readonly closed: Promise<void>;
  #isOver = false;
  readonly #wakers = new Set<() => void>();

  constructor(
    readonly request: RecordedRequest,
    private readonly response: ServerResponse,
    private readonly cut: (how: 'fin' | 'rst') => void,
  ) {
    // Writing to a connection that is going fails the write; nobody else needs to hear of it.
    response.on('error', () => {});
    this.closed = new Promise((resolve) => {
      response.once('close', () => {
        this.#isOver = true;
        resolve();
        for (const wake of this.#wakers) {
          wake();
        }
      });
    });
  }

  /** Whether the exchange is over: answered, cut, or left by the client. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the headers are out. */
  get hasBegun(): boolean {
    return this.response.headersSent;
  }

  /** Sets status and headers; they go out together with the first piece of the body. */
  begin(status: number, headers: HeaderFields = {}): void {
    if (this.#isOver) {
      throw new ExchangeOver();
    }
    this.response.writeHead(status, headers);
  }

  /** Sends status and headers at once, without waiting for the body; resolves when the system has taken them. */
  async head(status: number, headers: HeaderFields = {}): Promise<void> {
    this.begin(status, headers);
    await this.flushHead();
  }

  /** Sends what {@link begin} has set, without waiting for the body; resolves when the system has taken it. */
  async flushHead(): Promise<void> {
    this.response.flushHeaders();
    if (this.request.httpVersion === '2.0') {
      // Node forbids to touch the socket of an HTTP/2 session.
      return;
    }
    await this.#until((done) => this.response.socket?.write('', done));
  }

  /** Writes a piece of the body; resolves when the system has taken it. */
  async write(piece: string | Buffer): Promise<void> {
    await this.#until((done) => this.response.write(piece, done));
  }

  /** Writes one server-sent event: a string as it is, anything else as JSON. */
  async event(data: unknown): Promise<void> {
    await this.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }

  /** Ends the answer properly; resolves when the system has taken all of it. */
  async end(lastPiece: string | Buffer = ''): Promise<void> {
    await this.#until((done) => this.response.end(lastPiece, done));
  }

  /** Writes bytes past HTTP, straight into the connection. */
  async raw(bytes: string | Buffer): Promise<void> {
    await this.#until((done) => this.response.socket?.write(bytes, done));
  }

  /** Drops the connection with a RST. */
  reset(): void {
    this.request.end('cut');
    this.cut('rst');
  }

  /** Closes the connection with a FIN, whatever is still missing. */
  close(): void {
    this.request.end('cut');
    this.cut('fin');
  }

  /** Does nothing until the exchange is over. */
  async silence(): Promise<void> {
    await this.closed;
    throw new ExchangeOver();
  }

  async sleep(ms: number): Promise<void> {
    if (ms <= 0) {
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.#until((done) => {
        timer = setTimeout(done, ms);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for `start`'s callback, or throws when the exchange is over. */
  async #until(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#isOver) {
      throw new ExchangeOver();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakers.add(resolve);
    let isDone = false;
    start((error) => {
      // An error means that the connection is going; the exchange then says itself when it is over.
      if (!error) {
        isDone = true;
        resolve();
      }
    });
    await promise;
    this.#wakers.delete(resolve);
    if (!isDone) {
      throw new ExchangeOver();
    }
  }
}
