import type { Socket } from 'node:net';

type HttpSocket = Socket & {
  /** Set while Node's server does not read, since its client does not. */
  readonly _paused?: boolean;
};
export type DataListener = (bytes: Buffer) => void;

/** Whether Node's server is waiting for its client to read. Its parser must not be given anything meanwhile. */
export function isPausedByNode(socket: HttpSocket): boolean {
  const { _paused: isPaused } = socket;
  return isPaused === true;
}

/**
 * Has what a connection brings go to another listener than Node's.
 *
 * @returns Node's
 */
export function takeOver(socket: Socket, listener: DataListener): DataListener {
  const [parse = () => {}] = socket.listeners('data') as DataListener[];
  socket.removeAllListeners('data').on('data', listener);
  // Node's parser has read past the socket so far. Where nobody reads just now, nobody would begin to again, and the client's leaving
  // not be noticed; a push of nothing makes the stream do so.
  if (isPausedByNode(socket) || socket.isPaused()) socket.push('');
  return parse;
}
