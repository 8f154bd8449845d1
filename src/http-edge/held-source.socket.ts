import type { Socket } from 'node:net';
import { isClosing } from './closing.socket.js';
import { type DataListener, isPausedByNode, takeOver } from './take-over.socket.js';

/**
 * What a connection brings, which can be kept from Node's parser for a while. To pause the socket would do so, too, but it would
 * not be noticed then that the client leaves: so it is read on until something comes.
 */
export class HeldSource {
  private isHeld = false;
  private kept: Buffer | undefined;
  /** Node's own listener, once it has been replaced. */
  private parse: DataListener | undefined;

  constructor(private readonly socket: Socket) {}

  hold(): void {
    if (isClosing(this.socket)) return;
    this.isHeld = true;
    if (this.parse) return;
    this.parse = takeOver(this.socket, (bytes) => this.take(bytes));
    this.socket.on('resume', () => this.giveBack());
  }

  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    if (this.kept && !isPausedByNode(this.socket)) this.socket.resume();
  }

  private take(bytes: Buffer): void {
    if (!this.isHeld) {
      this.parse?.(bytes);
      return;
    }
    this.kept = bytes;
    this.socket.pause();
  }

  /** Reading goes on, at the word of this or of Node. */
  private giveBack(): void {
    const { kept, socket } = this;
    if (!kept) return;
    if (this.isHeld || isPausedByNode(socket)) {
      socket.pause();
      return;
    }
    this.kept = undefined;
    this.parse?.(kept);
  }
}
