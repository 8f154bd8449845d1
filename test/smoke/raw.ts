import { connect } from 'node:net';

const QUIET_MS = 30_000;

/** Sends bytes on a connection of their own; returns all that comes back until it ends, in whatever way. */
export async function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.setTimeout(QUIET_MS, () => socket.destroy());
  // A reset is an end, too.
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

/** A chat request as it goes over the wire, the last one of its connection. */
export function rawChat(body: string, ...headers: readonly string[]): string {
  return [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: smoke.test',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}
