/** What a text may hold. Values are counted by their commas and opening brackets. */
export interface RowLimits {
  /** Objects, in all arrays of rows together. */
  readonly maxRows: number;
  readonly maxValues: number;
  readonly maxDepth: number;
  /** Larger rows, and deeper ones, are left out. */
  readonly maxRowBytes: number;
  readonly maxRowValues: number;
}

/** Rows that stand one behind the other, commas between them; or a row that is left out. Offsets in bytes. */
export interface RowBatch {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly isLeftOut: boolean;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Finds where the rows of a JSON text are, without making anything of them: those of the array that is its root, or of every array
 * that is a member of the object that is its root. It trusts the text to be JSON: whoever parses what it found notices if it is not.
 */
export class RowScanner {
  /** The rows of each array, in batches. */
  readonly arrays: RowBatch[][] = [];
  private readonly skeletonParts: Buffer[] = [];
  private at = 0;
  private depth = 0;
  private isInString = false;
  private isRootObject = false;
  private rows = 0;
  private values = 0;
  /** Values that are not in rows. */
  private skeletonValues = 0;
  /** Where the text goes on that is not in rows. */
  private skeletonFrom = 0;
  /** The depth right within the array of rows, unless it is outside of one. */
  private rowDepth: number | undefined;
  private rowFrom = 0;
  private valuesBeforeRow = 0;
  private isRowObject = false;
  private isRowTooDeep = false;
  private batchFrom = 0;
  private batchRows = 0;

  constructor(
    private readonly body: Buffer,
    private readonly limits: RowLimits,
    /** A batch ends with the row that reaches so many bytes. */
    private readonly batchBytes: number,
  ) {}

  get isDone(): boolean {
    return this.at >= this.body.length;
  }

  /** The text with an array's place in {@link arrays} instead of its rows: `{"data":[0]}`. */
  get skeleton(): string {
    return Buffer.concat([...this.skeletonParts, this.body.subarray(this.skeletonFrom)]).toString();
  }

  /** Reads the next `bytes` bytes. @throws {RangeError} with a message fit for a log line, past a limit. */
  scan(bytes: number): void {
    const { body } = this;
    const end = Math.min(this.at + bytes, body.length);
    let { at, isInString } = this;
    for (; at < end; at++) {
      const byte = body[at];
      if (isInString) {
        if (byte === QUOTE) isInString = false;
        // What is escaped may be the first byte of the next call.
        else if (byte === BACKSLASH) at += 1;
        continue;
      }
      switch (byte) {
        case QUOTE:
          isInString = true;
          break;
        case COMMA:
          this.countValue();
          if (this.depth === this.rowDepth) this.endRow(at);
          break;
        case OPENING_BRACKET:
        case OPENING_BRACE:
          this.countValue();
          this.open(byte, at);
          break;
        case CLOSING_BRACKET:
        case CLOSING_BRACE:
          if (this.depth === this.rowDepth) this.closeRows(at);
          this.depth -= 1;
          break;
        default:
      }
    }
    this.at = at;
    this.isInString = isInString;
  }

  private countValue(): void {
    this.values += 1;
    if (this.values > this.limits.maxValues)
      throw new RangeError(`more than ${this.limits.maxValues} values`);
    if (this.rowDepth !== undefined) return;
    this.skeletonValues += 1;
    if (this.skeletonValues > this.limits.maxRowValues)
      throw new RangeError('too many values beside its rows');
  }

  private open(bracket: number, at: number): void {
    this.depth += 1;
    if (this.depth > this.limits.maxDepth) {
      if (this.rowDepth === undefined) throw new RangeError(`more than ${this.limits.maxDepth} levels`);
      this.isRowTooDeep = true;
    }
    if (this.rowDepth !== undefined) {
      if (bracket === OPENING_BRACE && this.depth === this.rowDepth + 1) this.isRowObject = true;
      return;
    }
    if (this.depth === 1) this.isRootObject = bracket === OPENING_BRACE;
    if (bracket === OPENING_BRACKET && this.depth === (this.isRootObject ? 2 : 1)) this.openRows(at + 1);
  }

  private openRows(from: number): void {
    this.skeletonParts.push(
      this.body.subarray(this.skeletonFrom, from),
      Buffer.from(String(this.arrays.length)),
    );
    // Where the rows never end, so does what stands around them.
    this.skeletonFrom = this.body.length;
    this.arrays.push([]);
    this.rowDepth = this.depth;
    this.startBatch(from);
  }

  private closeRows(at: number): void {
    this.endRow(at);
    if (this.batchRows > 0) this.endBatch(at);
    this.rowDepth = undefined;
    this.skeletonFrom = at;
  }

  private endRow(at: number): void {
    if (this.isRowObject) this.rows += 1;
    if (this.rows > this.limits.maxRows) throw new RangeError(`more than ${this.limits.maxRows} rows`);
    if (this.isRowTooLarge(at)) {
      if (this.batchRows > 0) this.endBatch(this.rowFrom - 1);
      this.arrays.at(-1)?.push({ from: this.rowFrom, to: at, rows: 1, isLeftOut: true });
      this.startBatch(at + 1);
      return;
    }
    this.batchRows += 1;
    if (at - this.batchFrom >= this.batchBytes) this.endBatch(at);
    this.startRow(at + 1);
  }

  private isRowTooLarge(end: number): boolean {
    const { maxRowBytes, maxRowValues } = this.limits;
    const values = this.values - this.valuesBeforeRow;
    return this.isRowTooDeep || end - this.rowFrom > maxRowBytes || values > maxRowValues;
  }

  private endBatch(to: number): void {
    this.arrays.at(-1)?.push({ from: this.batchFrom, to, rows: this.batchRows, isLeftOut: false });
    this.startBatch(to + 1);
  }

  private startBatch(from: number): void {
    this.batchFrom = from;
    this.batchRows = 0;
    this.startRow(from);
  }

  private startRow(from: number): void {
    this.rowFrom = from;
    this.valuesBeforeRow = this.values;
    this.isRowObject = false;
    this.isRowTooDeep = false;
  }
}
