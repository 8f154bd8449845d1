import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SelfSigned } from '../../src/simulator/self-signed.js';
import { RawConnection } from './raw-upstream.js';

/** A `CONNECT` as it arrived. */
export interface ConnectRequest {
  /** `host:port` */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: IncomingMessage['headers'];
  readonly connection: RawConnection;
  /** Ends the connection with a RST, be it in TLS. */
  readonly reset: () => void;
}

export type ConnectScript = (request: ConnectRequest) => void;

/** An HTTP proxy that opens tunnels and does nothing else, or whatever a test makes of it. */
export class ConnectProxy {
  /** Every `CONNECT` that has arrived. */
  readonly requests: ConnectRequest[] = [];
  /** Other requests, which get 400. */
  readonly others: string[] = [];
  /** What it does about each. */
  onConnect: ConnectScript = (request) => openTunnel(request);
  readonly #arrivals = new EventEmitter();
  /** Below TLS, by the port of the other end. */
  readonly #sockets = new Map<number | undefined, Socket>();

  private constructor(
    private readonly server: Server,
    private readonly isTls: boolean,
  ) {
    server.on('connection', (socket: Socket) => {
      const { remotePort } = socket;
      this.#sockets.set(
        remotePort,
        socket.on('error', () => {}),
      );
      socket.once('close', () => this.#sockets.delete(remotePort));
    });
    server.on('connect', (incoming: IncomingMessage, socket: Duplex) => this.#accept(incoming, socket));
    server.on('request', ({ method, url }: IncomingMessage, response: ServerResponse) => {
      this.others.push(`${method} ${url}`);
      response.writeHead(400).end();
    });
  }

  /** @param tls what it is spoken to in; without it in plain HTTP */
  static async start(tls?: SelfSigned): Promise<ConnectProxy> {
    const server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }) : createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ConnectProxy(server, tls !== undefined);
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.urlFor('');
  }

  /** @param userinfo `user:password@` */
  urlFor(userinfo: string): string {
    const { port } = this.server.address() as AddressInfo;
    return `${this.isTls ? 'https' : 'http'}://${userinfo}127.0.0.1:${port}`;
  }

  /** What the tunnels led to, in order. */
  get targets(): string[] {
    return this.requests.map(({ target }) => target);
  }

  /** Waits for the n-th `CONNECT`, from 1 on. */
  async request(n: number): Promise<ConnectRequest> {
    while (this.requests.length < n)
      await once(this.#arrivals, 'request', { signal: AbortSignal.timeout(10_000) });
    return this.requests[n - 1] as ConnectRequest;
  }

  /** Forgets what has come. */
  reset(onConnect: ConnectScript): void {
    this.onConnect = onConnect;
    this.requests.length = 0;
    this.others.length = 0;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    await once(this.server, 'close');
  }

  #accept(incoming: IncomingMessage, socket: Duplex): void {
    // The `net.Socket` that the types do not promise.
    const connection = new RawConnection(socket as RawConnection['socket']);
    const { url: target = '', headers } = incoming;
    // Under TLS a socket cannot be reset.
    const below = this.#sockets.get(connection.socket.remotePort);
    const request = { target, headers, connection, reset: () => void below?.resetAndDestroy() };
    this.requests.push(request);
    // Who does not read does not see the other side leave, and Node leaves it to the server to leave, too.
    connection.socket.resume().once('end', () => connection.socket.end());
    this.onConnect(request);
    this.#arrivals.emit('request');
  }
}

/** Connects to the target and says so. @param port where the target really is, on this machine */
export function openTunnel({ target, connection }: ConnectRequest, port = portOf(target)): void {
  const upstream = connect(port, '127.0.0.1', () => {
    connection.socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  });
  connection.joinTo(upstream);
}

function portOf(target: string): number {
  return Number(target.slice(target.lastIndexOf(':') + 1));
}
