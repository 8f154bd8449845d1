const NOTHING = Buffer.alloc(0);

/** A request body in memory, until it is released. */
export class HeldBody {
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
    this.held = NOTHING;
    this.onRelease();
  }
}
