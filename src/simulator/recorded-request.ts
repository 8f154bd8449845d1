import type { IncomingHttpHeaders } from 'node:http';

/**
 * How an exchange ended: `answered` in full, `cut` by the simulator itself, `client-gone` when the other side
 * left first, `open` while it lasts.
 */
export type Ending = 'open' | 'answered' | 'cut' | 'client-gone';

const NOTHING = Buffer.alloc(0);

interface Arrival {
  method: string;
  path: string;
  httpVersion: string;
  rawHeaders: readonly string[];
  headers: IncomingHttpHeaders;
  remotePort: number | undefined;
}

/** One request as it arrived. */
export class RecordedRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly path: string;
  /** The path alone. */
  readonly pathname: string;
  readonly httpVersion: string;
  /** Names and values in turn, in the order and the case in which they arrived. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
  /** The port of the connection's other end: equal for requests that shared a connection. */
  readonly remotePort: number | undefined;
  /** Milliseconds on the monotonic clock (`performance.now()`) when the headers were there. */
  readonly arrivedAtMs = performance.now();
  /** Empty until the whole body has arrived. */
  body: Buffer = NOTHING;
  /** Whether the whole request has arrived. */
  isReceived = false;
  /** The body's `model`, once the body has been read and has one. */
  model: string | undefined;
  /** Whether the body asks for a stream. */
  stream = false;
  ending: Ending = 'open';
  /** Milliseconds on the monotonic clock when the exchange ended. */
  endedAtMs: number | undefined;
  #ended: PromiseWithResolvers<Ending> | undefined;

  constructor(arrival: Arrival) {
    this.method = arrival.method;
    this.path = arrival.path;
    this.pathname = arrival.path.split('?', 1)[0] ?? '';
    this.httpVersion = arrival.httpVersion;
    this.rawHeaders = arrival.rawHeaders;
    this.headers = arrival.headers;
    this.remotePort = arrival.remotePort;
  }

  /** Whether the client went away before its answer had ended. */
  get isAborted(): boolean {
    return this.ending === 'client-gone';
  }

  /** Resolves with the ending when the exchange is over. */
  get ended(): Promise<Ending> {
    this.#ended ??= Promise.withResolvers<Ending>();
    if (this.ending !== 'open') {
      this.#ended.resolve(this.ending);
    }
    return this.#ended.promise;
  }

  /** Resolves when the client goes away before its answer has ended; rejects when it ends in another way. */
  get aborted(): Promise<void> {
    return this.#untilAborted();
  }

  /** The first one counts. */
  end(ending: Exclude<Ending, 'open'>): void {
    if (this.ending === 'open') {
      this.ending = ending;
      this.endedAtMs = performance.now();
      this.#ended?.resolve(ending);
    }
  }

  async #untilAborted(): Promise<void> {
    const ending = await this.ended;
    if (ending !== 'client-gone') {
      throw new Error(`The client stayed: the exchange was ${ending}.`);
    }
  }
}
