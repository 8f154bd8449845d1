import { lengthOf } from './pieces.js';

/** A request body in memory, in the pieces that it came in, until it is released and no upload needs it any more. */
export class HeldBody {
  private isReleased = false;
  /** Whoever needs the memory: the walk until it releases it, and each upload. */
  private users = 1;
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
    this.letGo();
  }

  /** The pieces, one after the other; none once the memory is given back. While they are taken it is in use, released or not. */
  *upload(pieces: readonly Buffer[]): Generator<Buffer, void> {
    if (this.users === 0) return;
    this.users += 1;
    try {
      yield* pieces;
    } finally {
      this.letGo();
    }
  }

  private letGo(): void {
    this.users -= 1;
    if (this.users > 0) return;
    this.held = [];
    this.onGone();
  }
}
