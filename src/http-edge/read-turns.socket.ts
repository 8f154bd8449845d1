import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Roster } from '../runtime/roster.js';
import { onTooMuchRead } from '../runtime/turn-limit.timer.js';
import { isPausedByNode } from './take-over.socket.js';

/** So many connections at most are read again in one turn. */
const DUE_AT_ONCE = 256;

type HttpSocket = Socket & {
  /** The first of the responses that are not finished. */
  readonly _httpMessage?: ServerResponse | null;
  /** Node's, with the request that it has begun last. */
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
};

interface PutOff {
  readonly socket: HttpSocket;
  /** How much had been read of it when it was put off. */
  readonly bytesRead: number;
}

/**
 * Spreads what clients send over turns of the event loop. One read of a connection is some milliseconds of parsing where its body
 * comes in pieces of one byte, and a turn may have to do a thousand of them: once that has taken too long, the connections that
 * the turn has not come to yet are put off, and read again a few at a time, in the order in which they came. Until nobody waits
 * any more, new connections wait behind them.
 *
 * libuv skips a socket that is not read any more, though the system has reported it (`uv__io_poll` in `src/unix/linux.c`).
 */
export class ReadTurns {
  private readonly connections = new Roster<HttpSocket>();
  private putOff: PutOff[] = [];
  /** Those of them that are read in this turn. */
  private due: readonly PutOff[] = [];
  /** How many in front of the others were due and not come to. */
  private missed = 0;
  private next: NodeJS.Immediate | undefined;
  private readonly waiting = new WeakSet<Socket>();
  private readonly stopListening = onTooMuchRead(() => this.endTurn());

  /** From now on it is spread what this connection brings. */
  add(socket: Socket): void {
    const entry = this.connections.add(socket);
    socket.once('close', () => this.connections.remove(entry));
    // Whoever takes a body has Node read on when it has got a piece.
    socket.on('resume', () => {
      if (this.waiting.has(socket)) socket.pause();
    });
    // Node begins to read at the end of this tick.
    if (this.isSpreading) process.nextTick(() => this.queueUp(socket));
  }

  /** Whoever waits is read again. */
  close(): void {
    this.stopListening();
    for (const one of this.putOff.splice(0)) this.readAgain(one);
  }

  /** Whether somebody waits, or did until this turn. */
  private get isSpreading(): boolean {
    return this.putOff.length > 0 || this.due.length > 0;
  }

  private queueUp(socket: HttpSocket): void {
    if (!this.isSpreading || !this.pause(socket)) return;
    this.putOff.push(asPutOff(socket));
    this.goOn();
  }

  private endTurn(): void {
    // They keep the place in front.
    const missed = this.due.filter((one) => one.socket.bytesRead === one.bytesRead && this.pause(one.socket));
    const others = [...this.connections].filter((socket) => this.pause(socket)).map(asPutOff);
    this.due = [];
    this.missed = missed.length;
    this.putOff = [...missed, ...this.putOff, ...others];
    // Not before this turn counts as over.
    clearImmediate(this.next);
    this.next = undefined;
    this.goOn();
  }

  private goOn(): void {
    if (this.putOff.length > 0) this.next ??= setImmediate(() => this.nextTurn());
  }

  private nextTurn(): void {
    // The system would report those first that have been read, since they have not left its list of who is ready.
    const due = this.putOff.splice(0, this.missed || DUE_AT_ONCE);
    this.due = due;
    this.missed = 0;
    for (const one of due) this.readAgain(one);
    setImmediate(() => {
      if (this.due === due) this.due = [];
    });
    this.next = undefined;
    this.goOn();
  }

  /** @returns whether it was read until now, and a request, or the rest of one, may be on its way. */
  private pause(socket: HttpSocket): boolean {
    if (!isSending(socket) || socket.destroyed || socket.isPaused()) return false;
    this.waiting.add(socket);
    socket.pause();
    return true;
  }

  private readAgain({ socket }: PutOff): void {
    this.waiting.delete(socket);
    if (!isPausedByNode(socket)) socket.resume();
  }
}

/** A client that waits for its answer mostly says nothing; unless it is in the middle of the next request. */
function isSending({ _httpMessage: response, parser }: HttpSocket): boolean {
  return !response?.req.complete || parser?.incoming?.complete === false;
}

function asPutOff(socket: HttpSocket): PutOff {
  return { socket, bytesRead: socket.bytesRead };
}
