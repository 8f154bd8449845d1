import { lengthOf } from './pieces.js';

/** A request body in memory, in the pieces that it came in, until it is released. */
export class HeldBody {
  private isReleased = false;
  /** In bytes. */
  readonly length: number;

  /** @param onRelease called once at most. */
  constructor(
    private held: readonly Buffer[],
    private readonly onRelease: () => void,
  ) {
    this.length = lengthOf(held);
  }

  /** None once released. */
  get pieces(): readonly Buffer[] {
    return this.held;
  }

  /** Gives the memory back. May be called more than once. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.held = [];
    this.onRelease();
  }
}
