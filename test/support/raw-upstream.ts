import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Waiters } from './waiters.js';

const STALL_MS = 150;

/** A request as it arrived, with its whole body. */
export interface RawRequest {
  /** Request line and header lines. */
  readonly head: string;
  readonly body: Buffer;
  /** The body's `model`; empty if it has none. */
  readonly model: string;
}

/** Answers one request in any way bytes allow. Errors of a connection that is gone are no failures of a script. */
export type RequestScript = (connection: RawConnection, request: RawRequest) => void | Promise<void>;
/** Takes a connection before anything of it is read. Returns `false` to leave it to the request scripts. */
export type ConnectionScript = (connection: RawConnection, count: number) => void | boolean;

/** A server below HTTP: it can do everything that no HTTP library allows. Answers well unless told otherwise. */
export class RawUpstream {
  /** Every request that has arrived in full. */
  readonly requests: RawRequest[] = [];
  /** Every connection ever made. */
  readonly connections: RawConnection[] = [];
  /** Errors that scripts threw. */
  readonly scriptErrors: unknown[] = [];
  onConnection: ConnectionScript | undefined;
  readonly #scripts = new Map<string, RequestScript>();
  readonly #waiters = new Waiters();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async start(): Promise<RawUpstream> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return new RawUpstream(server, typeof address === 'object' && address !== null ? address.port : 0);
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The models of the requests that have arrived, in order. */
  get models(): string[] {
    return this.requests.map(({ model }) => model);
  }

  /** @param model as requests name it, or `*` for every model without a script of its own */
  answer(model: string, script: RequestScript): void {
    this.#scripts.set(model, script);
  }

  /** Waits for the n-th request, from 1 on. */
  async request(n: number): Promise<RawRequest> {
    await this.#waiters.until(
      () => this.requests.length >= n,
      () => `request ${n}`,
    );
    return this.requests[n - 1] as RawRequest;
  }

  /** Waits for the n-th connection, from 1 on. */
  async connection(n: number): Promise<RawConnection> {
    await this.#waiters.until(
      () => this.connections.length >= n,
      () => `connection ${n}`,
    );
    return this.connections[n - 1] as RawConnection;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const { socket } of this.connections) socket.destroy();
    if (this.server.listening) await once(this.server, 'close');
  }

  #accept(socket: Socket): void {
    const connection = new RawConnection(socket);
    this.connections.push(connection);
    this.#waiters.wake();
    // Who does not read does not see the other side leave.
    socket.resume();
    if (this.onConnection && this.onConnection(connection, this.connections.length) !== false) return;

    let pieces: Buffer[] = [];
    let missing = 0;
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      missing -= piece.length;
      if (missing > 0) return;
      const bytes = Buffer.concat(pieces);
      pieces = [bytes];
      const request = readRequest(bytes);
      if (typeof request === 'number') {
        missing = request;
        return;
      }
      pieces = [bytes.subarray(request.head.length + 4 + request.body.length)];
      this.requests.push(request);
      const script = this.#scripts.get(request.model) ?? this.#scripts.get('*') ?? answerWell;
      void this.#follow(script, connection, request);
      this.#waiters.wake();
    });
  }

  async #follow(script: RequestScript, connection: RawConnection, request: RawRequest): Promise<void> {
    try {
      await script(connection, request);
    } catch (error) {
      this.scriptErrors.push(error);
      connection.reset();
    }
  }
}

/** One connection, seen from the upstream's end. */
export class RawConnection {
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  #isClosed = false;
  #bytesTaken = 0;

  constructor(readonly socket: Socket) {
    // What the other side does to the connection is no failure here.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many bytes the system has taken from {@link write}. */
  get bytesTaken(): number {
    return this.#bytesTaken;
  }

  /** Resolves when the system has taken the bytes, with `false` if the connection was over before. */
  async write(bytes: string | Buffer): Promise<boolean> {
    if (this.#isClosed || this.socket.destroyed) return false;
    const length = Buffer.byteLength(bytes);
    const taken = await Promise.race([
      new Promise<boolean>((resolve) => this.socket.write(bytes, (error) => resolve(!error))),
      this.closed.then(() => false),
    ]);
    if (taken) this.#bytesTaken += length;
    return taken;
  }

  /** Writes without end, until the connection is over. @param pauseMs between two writes */
  async writeForEver(bytes: string | Buffer, pauseMs = 0): Promise<void> {
    while (await this.write(bytes)) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** Resolves when the system takes nothing more of what {@link writeForEver} has for it. */
  async stalled(): Promise<void> {
    for (let before = -1; before !== this.#bytesTaken || before === 0;) {
      before = this.#bytesTaken;
      await new Promise((resolve) => setTimeout(resolve, STALL_MS));
    }
  }

  /** Leaves what comes in to the system's buffers, until those are full. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Ends the connection with a FIN behind what was written. */
  fin(): void {
    this.socket.destroySoon();
  }

  /** Ends the connection with a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Hands the connection to another server, byte by byte. */
  forwardTo(port: number): void {
    this.joinTo(connect(port, '127.0.0.1'));
  }

  /** From now on what comes from the one goes to the other, and they end together. */
  joinTo(target: Socket): void {
    target.on('error', () => this.socket.destroy()).on('close', () => this.socket.destroy());
    this.socket.on('close', () => target.destroy());
    this.socket.pipe(target).pipe(this.socket);
  }
}

/** A complete response with its length. */
export function response(status: string, headers: readonly string[], body: string | Buffer): Buffer {
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), Buffer.from(body)]);
}

/** The head of a response whose body is still to be written. */
export function head(status: string, ...headers: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
}

/** A piece of a chunked body; the empty one ends it. */
export function chunk(bytes: string): string {
  return `${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n`;
}

async function answerWell(connection: RawConnection, { model }: RawRequest): Promise<void> {
  const body = JSON.stringify({ object: 'chat.completion', model });
  await connection.write(response('200 OK', ['Content-Type: application/json'], body));
}

/** @returns how many bytes are missing at least, if the request is not complete. */
function readRequest(bytes: Buffer): RawRequest | number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return 1;
  const requestHead = bytes.toString('latin1', 0, headEnd);
  const length = Number(/^content-length: (\d+)$/im.exec(requestHead)?.[1] ?? 0);
  const body = bytes.subarray(headEnd + 4, headEnd + 4 + length);
  if (body.length < length) return length - body.length;
  return { head: requestHead, body, model: modelOf(body) };
}

function modelOf(body: Buffer): string {
  if (body.length === 0) return '';
  const { model } = JSON.parse(body.toString()) as { model?: unknown };
  return typeof model === 'string' ? model : '';
}
