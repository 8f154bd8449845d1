const NOTHING = Buffer.alloc(0);

/** A request body in memory, until it is released. */
export class HeldBody {
  private isReleased = false;

  /** @param onRelease called once at most. */
  constructor(
    private held: Buffer,
    private readonly onRelease: () => void,
  ) {}

  /** Empty once released. */
  get bytes(): Buffer {
    return this.held;
  }

  /** Gives the memory back. May be called more than once. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.held = NOTHING;
    this.onRelease();
  }
}
