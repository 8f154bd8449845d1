import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One address for several servers of this machine, as a load balancer or a virtual address is. */
export class TcpForwarder {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param target the port that new connections lead to. Those that are open stay where they are. */
  private constructor(public target: number) {
    this.#server = createServer((inward) => {
      const outward = connect(this.target, '127.0.0.1');
      for (const socket of [inward, outward]) {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {});
      }
      inward.pipe(outward).pipe(inward);
      inward.once('close', () => outward.destroy());
      outward.once('close', () => inward.destroy());
    }).listen(0, '127.0.0.1');
  }

  static async start(target: number): Promise<TcpForwarder> {
    const forwarder = new TcpForwarder(target);
    await once(forwarder.#server, 'listening');
    return forwarder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
