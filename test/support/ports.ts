import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A port of 127.0.0.1 that refuses connections as long as this process lives: a connection comes from it, so that no
 * server is given it, and nobody listens on it.
 */
export async function closedPort(): Promise<number> {
  const server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const [other] = await accepted;
  server.close();
  socket.unref();
  other.unref();
  return socket.localPort as number;
}

/** A free port of 127.0.0.1 that nobody else gets by chance: systems give those higher numbers. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000);
    const server = await listen(port).catch(() => undefined);
    if (!server) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
