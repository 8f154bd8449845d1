import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../support/random.ts';

/** A connection of the router's, as it passes. */
export interface Carrier {
  /** When it was cut, on the monotonic clock. */
  cutAtMs: number | undefined;
  /** Whether the end of the connection is the end of an answer on it, so that only a reset is no such end. */
  endsAnswer: boolean;
}

interface Passage {
  readonly incoming: Socket;
  readonly outgoing: Socket;
  readonly carrier: Carrier;
}

/** How the next connections are treated. */
type Treatment = 'plain' | 'chopped' | 'refused at once';

/**
 * The way to the upstream, with bad weather: it cuts connections whatever is on them, kept and idle ones too,
 * accepts some only to cut them, chops what it carries into small pieces, and at times refuses to connect.
 */
export class Front {
  readonly url: string;
  readonly counts = { connections: 0, cut: 0, chopped: 0, refusals: 0 };
  readonly #server: Server;
  readonly #port: number;
  readonly #targetPort: number;
  readonly #random: Random;
  readonly #open = new Set<Passage>();
  readonly #byPort = new Map<number, Carrier>();
  #treatment: Treatment = 'plain';
  #weather: NodeJS.Timeout | undefined;
  #isFair = true;

  private constructor(server: Server, targetUrl: string, random: Random) {
    const address = server.address();
    this.#server = server;
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    this.url = `http://127.0.0.1:${this.#port}`;
    this.#targetPort = Number(new URL(targetUrl).port);
    this.#random = random;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** @param targetUrl the upstream's own */
  static async start(targetUrl: string, random: Random): Promise<Front> {
    const server = createServer({ noDelay: true, allowHalfOpen: false });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Front(server, targetUrl, random);
  }

  /** Connections of the router's that are open. */
  get connections(): number {
    return this.#open.size;
  }

  /**
   * The passage of a connection that the upstream sees coming from `port`. What had been reset before the upstream
   * looked at it has no port any more.
   */
  carrierOf(port: number | undefined): Carrier {
    if (port === undefined) return { cutAtMs: performance.now(), endsAnswer: false };
    const carrier = this.#byPort.get(port);
    if (!carrier) throw new Error(`No connection goes through here that comes from ${port}.`);
    return carrier;
  }

  badWeather(): void {
    this.#isFair = false;
    this.#changeSoon(1_500);
  }

  async fairWeather(): Promise<void> {
    clearTimeout(this.#weather);
    this.#isFair = true;
    this.#treatment = 'plain';
    await this.#listen();
  }

  async close(): Promise<void> {
    clearTimeout(this.#weather);
    this.#isFair = true;
    for (const { incoming, outgoing } of this.#open) {
      incoming.destroy();
      outgoing.destroy();
    }
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async #change(): Promise<void> {
    this.#treatment = 'plain';
    await this.#listen();
    if (this.#isFair) return;
    const what = this.#random.weighed([
      { weight: 5, name: 'cut some' },
      { weight: 1, name: 'cut all' },
      { weight: 2, name: 'chop' },
      { weight: 1, name: 'accept and cut' },
      { weight: 1, name: 'refuse' },
    ]);
    switch (what.name) {
      case 'cut some':
        for (const passage of this.#open) if (this.#random.chance(0.1)) this.#cut(passage);
        break;
      case 'cut all':
        for (const passage of this.#open) this.#cut(passage);
        break;
      case 'chop':
        this.#treatment = 'chopped';
        break;
      case 'accept and cut':
        this.#treatment = 'refused at once';
        break;
      case 'refuse':
        this.counts.refusals += 1;
        this.#server.close();
    }
    this.#changeSoon(what.name === 'refuse' || what.name === 'accept and cut' ? 200 : 1_500);
  }

  #changeSoon(withinMs: number): void {
    this.#weather = setTimeout(() => void this.#change(), this.#random.between(50, withinMs));
  }

  /** Listens again if it does not; the port may be in use for a moment. */
  async #listen(): Promise<void> {
    while (!this.#server.listening) {
      this.#server.listen(this.#port, '127.0.0.1');
      const isUp = await once(this.#server, 'listening').then(
        () => true,
        () => false,
      );
      if (!isUp) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #accept(incoming: Socket): void {
    this.counts.connections += 1;
    const outgoing = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    const passage: Passage = { incoming, outgoing, carrier: { cutAtMs: undefined, endsAnswer: false } };
    this.#open.add(passage);
    // What becomes of one end is told to the other below; here it is no failure.
    for (const socket of [incoming, outgoing]) socket.on('error', () => {});
    if (this.#treatment === 'refused at once') this.#cut(passage);
    else this.#carry(passage);
  }

  #carry(passage: Passage): void {
    const { incoming, outgoing, carrier } = passage;
    outgoing.once('connect', () => this.#byPort.set(outgoing.localPort ?? 0, carrier));
    // What happens at one end is to be seen at the other: a reset as a reset, an end as an end behind all bytes.
    for (const [here, there] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      here.on('error', () => reset(there));
      here.once('close', () => {
        there.destroySoon();
        this.#open.delete(passage);
      });
    }
    incoming.pipe(outgoing);
    if (this.#treatment === 'chopped') this.#chop(passage);
    else outgoing.pipe(incoming);
  }

  /** Answers in pieces of a few bytes, each in a write of its own, for the first few hundred bytes. */
  #chop({ incoming, outgoing }: Passage): void {
    this.counts.chopped += 1;
    let left = 100;
    outgoing.on('data', (bytes: Buffer) => {
      let at = 0;
      for (; left > 0 && at < bytes.length; left -= 1) {
        const size = this.#random.between(1, 9);
        incoming.write(bytes.subarray(at, at + size));
        at += size;
      }
      if (at < bytes.length && !incoming.write(bytes.subarray(at))) {
        outgoing.pause();
        incoming.once('drain', () => outgoing.resume());
      }
    });
    outgoing.once('end', () => incoming.end());
  }

  #cut(passage: Passage): void {
    this.counts.cut += 1;
    passage.carrier.cutAtMs = performance.now();
    this.#open.delete(passage);
    const isReset = passage.carrier.endsAnswer || this.#random.chance(0.5);
    for (const socket of [passage.incoming, passage.outgoing]) {
      if (isReset) reset(socket);
      else socket.destroy();
    }
  }
}

/**
 * Node cannot reset a connection whose end is on its way, and would then keep it open for ever. One that is being
 * made it would first make, and send what waits for it: a request would arrive from somebody who has gone.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
