import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, Server, type Socket } from 'node:net';

/** How many connections may wait at each listener to be accepted. Linux lowers it to `net.core.somaxconn`. */
const BACKLOG = 4_096;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** For so many connections that may be open there is a listener, as long as it takes no larger part of the files that may be. */
const CONNECTIONS_PER_LISTENER = 32;
const LIMITS = '/proc/self/limits';

/** For Node. */
interface ListenOptions extends Address {
  readonly backlog: number;
  readonly reusePort?: boolean;
}

/**
 * The port that an HTTP server is at: how many connections it has, no more of them than it may have, and several listeners where
 * the system lets them share an address.
 *
 * libuv accepts one connection whenever it finds a listener ready (https://github.com/libuv/libuv/pull/3696), and from one time
 * to the next it serves all other sockets that are ready. With thousands of streams a single listener lets in a few connections a
 * second.
 */
export class Port {
  private open = 0;
  private readonly listeners: Server[];

  /** @param onRefused called for each connection beyond `maxConnections`. It is closed at once. */
  constructor(
    private readonly server: HttpServer,
    private readonly maxConnections: number,
    private readonly onRefused: () => void,
  ) {
    this.listeners = [server];
    server.on('connection', this.onConnection).on('drop', onRefused);
  }

  /** How many connections are open. */
  get connections(): number {
    return this.open;
  }

  /** How many listeners share it. */
  get listenerCount(): number {
    return this.listeners.length;
  }

  /** As a URL without a path. The server has to listen. */
  get url(): string {
    const { address, family, port } = this.address;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /**
   * @param listen has the server listen
   * @throws what `listen` does; EADDRINUSE
   */
  async listen({ host, port }: Address, listen: (options: ListenOptions) => Promise<unknown>): Promise<void> {
    const count = Math.ceil(Math.min(this.maxConnections, maxOpenFiles()) / CONNECTIONS_PER_LISTENER);
    if (count === 1 || process.platform !== 'linux') {
      await listen({ host, port, backlog: BACKLOG });
      return;
    }
    // A second router would get its share of the connections instead of an error.
    if (port !== 0) await assertFree({ host, port });
    await listen({ host, port, backlog: BACKLOG, reusePort: true });
    await Promise.all(Array.from({ length: count - 1 }, async () => this.addListener()));
  }

  /** Accepts no more connections. Those that there are stay. */
  close(): void {
    // The HTTP server's own would also cut kept connections, perhaps under a request that is on its way.
    for (const listener of this.listeners) if (listener.listening) Server.prototype.close.call(listener);
  }

  private get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  private async addListener(): Promise<void> {
    const { address: host, port } = this.address;
    // As HTTP servers are.
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    listener.on('connection', (socket) => this.server.emit('connection', socket)).on('drop', this.onRefused);
    listener.listen({ host, port, backlog: BACKLOG, reusePort: true });
    await once(listener, 'listening');
    this.listeners.push(listener);
  }

  private readonly onConnection = (socket: Socket): void => {
    this.open += 1;
    if (this.open === this.maxConnections) this.limitListeners(0);
    socket.once('close', this.onClose);
  };

  private readonly onClose = (): void => {
    if (this.open === this.maxConnections) this.limitListeners(Infinity);
    this.open -= 1;
  };

  /** Node counts the connections of each listener by themselves. */
  private limitListeners(maxConnections: number): void {
    for (const listener of this.listeners) listener.maxConnections = maxConnections;
  }
}

/** How many files this process may have open, sockets included; `Infinity` where the system does not tell. */
export function maxOpenFiles(): number {
  if (!existsSync(LIMITS)) return Infinity;
  const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync(LIMITS, 'utf8')) ?? [];
  return limit === undefined ? Infinity : Number(limit);
}

async function assertFree(address: Address): Promise<void> {
  const probe = createServer((socket) => socket.destroy()).listen({ ...address, exclusive: true });
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}
