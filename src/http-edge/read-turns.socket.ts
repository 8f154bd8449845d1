import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Roster } from '../runtime/roster.js';
import { onTurnEnding } from '../runtime/turn-limit.timer.js';
import { isPausedByNode } from './take-over.socket.js';

/** So many connections at most are read again in one turn. */
const DUE_AT_ONCE = 64;

type HttpSocket = Socket & {
  /** The first of the responses that are not finished. */
  readonly _httpMessage?: ServerResponse | null;
};

interface PutOff {
  readonly socket: HttpSocket;
  /** How much had been read of it when it was put off. */
  readonly bytesRead: number;
}

/**
 * Spreads what clients send over turns of the event loop. One read of a connection is some milliseconds of parsing where its body
 * comes in pieces of one byte, and a turn may have to do a thousand of them: once it has taken too long, the connections that it
 * has not come to yet are put off, and read again a few at a time, in the order in which they came.
 *
 * libuv skips a socket that is not read any more, though the system has reported it (`uv__io_poll` in `src/unix/linux.c`).
 */
export class ReadTurns {
  private readonly connections = new Roster<HttpSocket>();
  private putOff: PutOff[] = [];
  /** Those of them that are read in this turn. */
  private due: readonly PutOff[] = [];
  private readonly stopListening = onTurnEnding(() => this.endTurn());

  /** From now on it is spread what this connection brings. */
  add(socket: Socket): void {
    const entry = this.connections.add(socket);
    socket.once('close', () => this.connections.remove(entry));
  }

  /** Whoever waits is read again. */
  close(): void {
    this.stopListening();
    for (const { socket } of this.putOff.splice(0)) readAgain(socket);
  }

  private endTurn(): void {
    const isWaited = this.putOff.length > 0;
    // Whoever was due and not come to keeps the place in front.
    const missed = this.due.filter((one) => one.socket.bytesRead === one.bytesRead && pause(one.socket));
    const others = [...this.connections].filter(pause).map(asPutOff);
    this.due = [];
    this.putOff = [...missed, ...this.putOff, ...others];
    if (!isWaited && this.putOff.length > 0) setImmediate(() => this.nextTurn());
  }

  private nextTurn(): void {
    this.due = this.putOff.splice(0, DUE_AT_ONCE);
    for (const { socket } of this.due) readAgain(socket);
    if (this.putOff.length > 0) setImmediate(() => this.nextTurn());
  }
}

/** @returns whether it was read until now, and a request, or the rest of one, may be on its way. */
function pause(socket: HttpSocket): boolean {
  const { _httpMessage: response } = socket;
  // A client that waits for its answer mostly says nothing.
  const isSending = !response?.req.complete;
  if (!isSending || socket.isPaused()) return false;
  socket.pause();
  return true;
}

function asPutOff(socket: HttpSocket): PutOff {
  return { socket, bytesRead: socket.bytesRead };
}

function readAgain(socket: HttpSocket): void {
  if (!isPausedByNode(socket)) socket.resume();
}
