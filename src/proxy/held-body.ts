import { lengthOf } from './pieces.js';

/** A request body in memory, in the pieces that it came in, until it is released and no upload needs it any more. */
export class HeldBody {
  private isReleased = false;
  private isGone = false;
  private uploads = 0;
  /** In bytes. */
  readonly length: number;

  /** @param onGone called once, when the memory is given back. */
  constructor(
    private held: readonly Buffer[],
    private readonly onGone: () => void,
  ) {
    this.length = lengthOf(held);
  }

  /** None once the memory is given back. */
  get pieces(): readonly Buffer[] {
    return this.held;
  }

  /** May be called more than once. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.giveBack();
  }

  /** The pieces, one after the other. While they are taken the memory is in use, released or not. */
  *upload(pieces: readonly Buffer[]): Generator<Buffer, void> {
    this.uploads += 1;
    try {
      yield* pieces;
    } finally {
      this.uploads -= 1;
      this.giveBack();
    }
  }

  private giveBack(): void {
    if (this.isGone || !this.isReleased || this.uploads > 0) return;
    this.isGone = true;
    this.held = [];
    this.onGone();
  }
}
