import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What it sends back for the bytes that came; nothing for `undefined`. */
export type Reply = (received: string, socket: Socket) => string | undefined;

/** Something that listens where Redis should be. */
export class RedisStranger {
  /** All that was sent to it. */
  received = '';
  /** Connections that are open. */
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(reply: Reply) {
    this.#server = createServer((socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket)).on('error', () => {});
      socket.setEncoding('latin1').on('data', (text: string) => {
        this.received += text;
        const answer = reply(text, socket);
        if (answer !== undefined) socket.write(answer, 'latin1');
      });
    }).listen(0, '127.0.0.1');
  }

  static async start(reply: Reply): Promise<RedisStranger> {
    const stranger = new RedisStranger(reply);
    await once(stranger.#server, 'listening');
    return stranger;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Answers the handshake as Redis does, and then as it is told. */
export function afterHandshake(reply: Reply): Reply {
  return (received, socket) => (received.includes('HELLO') ? '+OK\r\n' : reply(received, socket));
}
