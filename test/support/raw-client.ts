import { connect, type Socket } from 'node:net';
import { type RawResponse, readResponse } from './raw-response.js';
import { Waiters } from './waiters.js';

/** From so many pieces on an answer is large. */
const MANY = 16;
const FINAL_CHUNK = Buffer.from('0\r\n\r\n');
/** Between two looks at a large answer. */
const MUCH_MS = 20;

/** What ended a connection: the other side's FIN, its RST, or this side. */
export type ConnectionEnd = 'fin' | 'reset' | 'self';

/** An HTTP client that sends exactly the bytes it is given and hides nothing of what comes back. */
export class RawClient {
  /** Resolves when the connection is over. */
  readonly ended: Promise<ConnectionEnd>;
  /** Resolves when nothing can be sent any more either. */
  readonly cut: Promise<void>;
  #chunks: Buffer[] = [];
  #end: ConnectionEnd | undefined;
  #bytesReceived = 0;
  readonly #waiters = new Waiters();
  #isWaking = false;

  private constructor(private readonly socket: Socket) {
    const { promise, resolve } = Promise.withResolvers<ConnectionEnd>();
    this.ended = promise;
    const over = (end: ConnectionEnd) => {
      this.#end ??= end;
      resolve(this.#end);
      this.#wake();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytesReceived += chunk.length;
      this.#wake();
    });
    socket.once('end', () => over('fin'));
    socket.once('error', () => over('reset'));
    socket.once('close', () => over('self'));
    this.cut = new Promise((closed) => socket.once('close', () => closed()));
  }

  /**
   * Connects; with `request`, sends it at once.
   *
   * @param outlastsEnd whether it can go on sending after the other side's FIN
   */
  static async open(
    port: number,
    request?: string | Buffer,
    { outlastsEnd = false } = {},
  ): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: outlastsEnd });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    if (request !== undefined) await client.send(request);
    return client;
  }

  /** Resolves when the system has taken the bytes; bytes for a closed connection are lost in silence. */
  async send(bytes: string | Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
  }

  get isCut(): boolean {
    return this.socket.destroyed;
  }

  /** Sends bytes over and over, heeding nothing, until the connection is cut. */
  async sendForEver(bytes: string | Buffer): Promise<void> {
    while (!this.isCut) await Promise.race([this.send(bytes), this.cut]);
  }

  /** Says that nothing more will be sent, and goes on reading. */
  finish(): void {
    this.socket.end();
  }

  /** Everything received and not yet taken by {@link response}. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** How many bytes have come in all. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Waits until `text` is among the bytes {@link received}. */
  async receives(text: string): Promise<void> {
    await this.#until(() => {
      if (this.received.includes(text)) return true;
      if (this.#end) throw new Error(`The connection ended (${this.#end}) before it brought ${text}.`);
      return false;
    });
  }

  /** The next response, when it is complete or cannot become so any more. Interim responses are skipped. */
  async response({ toHead = false } = {}): Promise<RawResponse> {
    let response: RawResponse | undefined;
    await this.#until(() => {
      if (!this.#end && this.#isSurelyIncomplete()) return false;
      response = readResponse(this.received, this.#end, toHead);
      return response.isComplete || this.#end !== undefined;
    });
    if (!response) throw new Error('There is no response.');
    this.#chunks = [this.received.subarray(response.length)];
    return response;
  }

  /** From now on the bytes stay in the system's buffers, until those are full. */
  stopReading(): void {
    this.socket.pause();
  }

  readOn(): void {
    this.socket.resume();
  }

  /** Leaves in the orderly way. */
  close(): void {
    this.#end ??= 'self';
    this.socket.destroy();
  }

  /** Leaves with a RST. */
  reset(): void {
    this.#end ??= 'self';
    this.socket.resetAndDestroy();
  }

  /** Spares looking through a large chunked answer again and again. */
  #isSurelyIncomplete(): boolean {
    if (!this.#isMuch || !this.#chunks[0]?.includes('\r\nTransfer-Encoding: chunked\r\n')) return false;
    return !Buffer.concat(this.#chunks.slice(-5)).subarray(-5).equals(FINAL_CHUNK);
  }

  get #isMuch(): boolean {
    return this.#chunks.length > MANY;
  }

  /** Soon, and less often where there is much to look through. */
  #wake(): void {
    if (this.#isWaking || this.#waiters.count === 0) return;
    this.#isWaking = true;
    setTimeout(
      () => {
        this.#isWaking = false;
        this.#waiters.wake();
      },
      this.#isMuch ? MUCH_MS : 0,
    );
  }

  async #until(holds: () => boolean): Promise<void> {
    await this.#waiters.until(holds, () => `received ${this.received.toString('latin1', 0, 500)}`);
  }
}
