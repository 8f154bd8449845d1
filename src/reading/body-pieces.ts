/** How many pieces are kept apart before they are joined. */
const RUN = 1_024;

/**
 * A body as it comes in. Each piece costs an object, and a body can come in pieces of one byte: kept as they are
 * they would take many hundred times its size.
 */
export class BodyPieces {
  private joinedRuns: Buffer[] = [];
  private run: Buffer[] = [];

  push(piece: Buffer): void {
    this.run.push(piece);
    if (this.run.length < RUN) return;
    this.joinedRuns.push(Buffer.concat(this.run));
    this.run = [];
  }

  /** The whole body; nothing is kept of it here. */
  take(): readonly Buffer[] {
    const pieces = [...this.joinedRuns, ...this.run];
    this.clear();
    return pieces;
  }

  clear(): void {
    this.joinedRuns = [];
    this.run = [];
  }
}
