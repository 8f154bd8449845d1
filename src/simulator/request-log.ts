import type { RecordedRequest } from './recorded-request.js';

const MAX_COUNTED_PATHS = 1000;

interface Waiting {
  readonly wanted: (request: RecordedRequest) => boolean;
  readonly resolve: (request: RecordedRequest) => void;
  readonly reject: (error: Error) => void;
}

/** What has arrived, bounded in number and bytes so that a long run does not grow. */
export class RequestLog {
  readonly #kept = new Set<RecordedRequest>();
  readonly #counts = new Map<string, number>();
  readonly #handedOut = new WeakSet<RecordedRequest>();
  readonly #waiting = new Set<Waiting>();
  #bytes = 0;

  constructor(
    private readonly maxRequests: number,
    private readonly maxBytes: number,
  ) {}

  get requests(): readonly RecordedRequest[] {
    return [...this.#kept];
  }

  /** @param path a path without its query */
  count(path: string): number {
    return this.#counts.get(path) ?? 0;
  }

  /** Called when the headers of a request are there. */
  arrived(request: RecordedRequest): void {
    const known = this.#counts.get(request.pathname);
    if (known !== undefined || this.#counts.size < MAX_COUNTED_PATHS) {
      this.#counts.set(request.pathname, (known ?? 0) + 1);
    }
    if (this.maxRequests > 0) {
      this.#kept.add(request);
      this.#trim();
    }
  }

  /** Called when the body of a request is there. */
  received(request: RecordedRequest): void {
    if (this.maxRequests > 0) {
      if (!this.#kept.has(request)) {
        return;
      }
      this.#bytes += request.body.length;
      this.#trim();
    }
    const waiting = [...this.#waiting].find(({ wanted }) => wanted(request));
    if (waiting !== undefined) {
      this.#waiting.delete(waiting);
      this.#handedOut.add(request);
      waiting.resolve(request);
    }
  }

  /**
   * The earliest request that `wanted` accepts, has arrived in full and was not handed out before; waits for one
   * if there is none.
   *
   * @throws when none arrives within `timeoutMs`, or {@link stopWaiting} is called
   */
  async next(wanted: (request: RecordedRequest) => boolean, timeoutMs: number): Promise<RecordedRequest> {
    const early = this.requests.find((one) => one.isReceived && wanted(one) && !this.#handedOut.has(one));
    if (early !== undefined) {
      this.#handedOut.add(early);
      return early;
    }
    const { promise, resolve, reject } = Promise.withResolvers<RecordedRequest>();
    const waiting = { wanted, resolve, reject };
    this.#waiting.add(waiting);
    const timer = setTimeout(
      () => reject(new Error(`No request arrived within ${timeoutMs} ms.`)),
      timeoutMs,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  /** Fails everyone who waits for a request. */
  stopWaiting(reason: string): void {
    for (const { reject } of this.#waiting) {
      reject(new Error(reason));
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#counts.clear();
    this.#bytes = 0;
  }

  #trim(): void {
    for (const oldest of this.#kept) {
      const isFull =
        this.#kept.size > this.maxRequests || (this.#bytes > this.maxBytes && this.#kept.size > 1);
      if (!isFull) {
        return;
      }
      this.#kept.delete(oldest);
      this.#bytes -= oldest.body.length;
    }
  }
}
