/** Shorter pieces are copied together. One that is kept costs some 300 bytes beside its own. */
const SHORT_BYTES = 4_096;
const MIN_PAGE_BYTES = 1_024;
const MAX_PAGE_BYTES = 65_536;

/**
 * A body as it comes in. It can come in pieces of one byte: kept as they are they would take many hundred times its size. The
 * first one is kept all the same while there is no other, since mostly none comes.
 */
export class BodyPieces {
  /** How many bytes have come. */
  length = 0;
  /** How much memory they take: more than their number where there is room for those to come. */
  heldBytes = 0;
  private pieces: Buffer[] = [];
  /** The first piece while it is the only one. */
  private only: Buffer | undefined;
  /** The last of the pieces while there is room in it. */
  private page: Buffer | undefined;
  private used = 0;

  /** @param most how many bytes may come in all; no room is made for others. */
  constructor(private readonly most = Infinity) {}

  push(piece: Buffer): void {
    if (this.length === 0) {
      this.only = piece;
      this.keep(piece);
    } else {
      this.copyOnly();
      if (piece.length >= SHORT_BYTES) this.keep(piece);
      else this.copy(piece);
    }
    this.length += piece.length;
  }

  /** The whole body; nothing is kept of it here. */
  take(): readonly Buffer[] {
    this.closePage();
    const { pieces } = this;
    this.clear();
    return pieces;
  }

  clear(): void {
    this.pieces = [];
    this.only = undefined;
    this.page = undefined;
    this.heldBytes = 0;
  }

  /** A short piece keeps all of the read that it came in. */
  private copyOnly(): void {
    const { only } = this;
    this.only = undefined;
    if (!only || only.length >= SHORT_BYTES) return;
    this.pieces = [];
    this.heldBytes = 0;
    this.length = 0;
    this.copy(only);
    this.length = only.length;
  }

  private keep(piece: Buffer): void {
    this.trimPage();
    this.pieces.push(piece);
    this.heldBytes += piece.length;
  }

  private copy(piece: Buffer): void {
    let copied = 0;
    while (copied < piece.length) {
      const page = this.page ?? this.openPage(this.length + copied, piece.length - copied);
      const bytes = piece.copy(page, this.used, copied);
      copied += bytes;
      this.used += bytes;
      if (this.used === page.length) this.closePage();
    }
  }

  /** As large as all that has come, so that a body takes no more than twice its size. @param least what it is needed for */
  private openPage(length: number, least: number): Buffer {
    const room = Math.min(Math.max(length, MIN_PAGE_BYTES), MAX_PAGE_BYTES, this.most - length);
    this.page = Buffer.allocUnsafeSlow(Math.max(room, least));
    this.used = 0;
    this.heldBytes += this.page.length;
    return this.page;
  }

  /** Gives back the room that nothing will come for. */
  private trimPage(): void {
    const { page, used } = this;
    if (!page) return;
    this.page = Buffer.allocUnsafeSlow(used);
    page.copy(this.page, 0, 0, used);
    this.heldBytes -= page.length - used;
    this.closePage();
  }

  private closePage(): void {
    if (!this.page) return;
    this.pieces.push(this.page.subarray(0, this.used));
    this.page = undefined;
  }
}
