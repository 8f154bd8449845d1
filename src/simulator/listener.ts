import { type EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Server, Socket } from 'node:net';

export interface TlsOptions {
  /** PEM. */
  readonly key: string | Buffer;
  /** PEM. */
  readonly cert: string | Buffer;
  /** Offers `h2` beside `http/1.1`, as many hosts do. */
  readonly offersHttp2?: boolean;
}

export interface Address {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly tls?: TlsOptions | undefined;
}

/** A listening server that knows its connections, can drop each one, and closes at once. */
export class Listener {
  readonly url: string;
  readonly #sockets = new Map<string, Socket>();

  private constructor(
    private readonly server: Server,
    scheme: string,
    host: string,
  ) {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    this.url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  static async open({ host, port, tls }: Address, handler: RequestListener): Promise<Listener> {
    const server = serverFor(tls, handler);
    server.listen(port, host);
    await once(server, 'listening');
    const listener = new Listener(server, tls === undefined ? 'http' : 'https', host);
    server.on('connection', (socket: Socket) => listener.#track(socket));
    return listener;
  }

  /** Connections open at the moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Ends the connection of a response with a FIN or a RST, whatever was still to be written. */
  cut(response: ServerResponse, how: 'fin' | 'rst'): void {
    // Under TLS the response's socket is a wrapper that cannot be reset; the connection below it can.
    const socket = this.#sockets.get(peerOf(response.socket));
    if (how === 'rst') {
      socket?.resetAndDestroy();
    }
    response.destroy();
    socket?.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.#sockets.values()) {
      socket.destroy();
    }
    await closed;
  }

  #track(socket: Socket): void {
    const peer = peerOf(socket);
    this.#sockets.set(peer, socket);
    // What the other side does to the connection is no failure here.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(peer);
    });
  }
}

function peerOf(socket: Socket | null): string {
  return `${socket?.remoteAddress} ${socket?.remotePort}`;
}

// Kept connections live long, and uploads may take their time: only tests decide what is too slow.
const SETTINGS = { keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 };

function serverFor(tls: TlsOptions | undefined, handler: RequestListener): Server {
  if (tls === undefined) {
    return createServer(SETTINGS, handler);
  }
  const { key, cert } = tls;
  if (tls.offersHttp2 !== true) {
    return createTlsServer({ key, cert, ...SETTINGS }, handler);
  }
  const server = createSecureServer({ key, cert, allowHTTP1: true });
  // Node's HTTP/2 objects mimic those of HTTP/1.1 as far as the simulator uses them; only their types differ.
  const untyped: EventEmitter = server;
  untyped.on('request', handler);
  return server;
}
