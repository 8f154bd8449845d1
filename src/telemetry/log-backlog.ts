/** In UTF-8 a UTF-16 unit takes up to three bytes. */
const MAX_BYTES_PER_UNIT = 3;

interface Page {
  readonly bytes: Buffer;
  used: number;
}

interface Limits {
  /** A write for every line would cost more than the line, so so many bytes go out at a time. */
  readonly pageBytes: number;
  /** Lines beyond it are dropped. At least two pages. */
  readonly maxBytes: number;
}

/**
 * Log lines that wait to be written, in their order. They wait as bytes: strings that wait have gone from the processor's
 * caches by the time they are joined.
 */
export class LogBacklog {
  /** Of the first page some may be written, to the last one lines are added. */
  private readonly pages: Page[];
  /** Of the first page. */
  private written = 0;
  /** A page that is empty again. */
  private spare: Page | undefined;
  private bytes: number;
  private dropped = 0;

  /** @param noticeOf the line that stands where so many have been dropped. */
  constructor(
    private readonly limits: Limits,
    private readonly noticeOf: (dropped: number) => string,
  ) {
    this.pages = [newPage(limits.pageBytes)];
    this.bytes = limits.pageBytes;
  }

  get isEmpty(): boolean {
    const [first] = this.pages as [Page];
    return this.pages.length === 1 && first.used === this.written;
  }

  /** @returns whether this line has begun a new page, so that a whole one can be written. */
  add(line: string): boolean {
    // The gap is where the first one was dropped: none of those that follow comes before it is told.
    const place = this.dropped > 0 ? 'nowhere' : this.append(line);
    if (place === 'nowhere') this.dropped += 1;
    return place === 'new page';
  }

  /** What is to be written next: as many bytes as there are in one place. They stay as they are until {@link advance}. */
  next(): Buffer {
    const [{ bytes, used }] = this.pages as [Page];
    return bytes.subarray(this.written, used);
  }

  /** @param count so many of the bytes that {@link next} gave have been written. */
  advance(count: number): void {
    const [first] = this.pages as [Page];
    this.written += count;
    if (this.written < first.used) return;
    this.written = 0;
    first.used = 0;
    if (this.pages.length > 1) this.release();
    this.admitLoss();
  }

  private admitLoss(): void {
    if (this.dropped > 0 && this.append(this.noticeOf(this.dropped)) !== 'nowhere') this.dropped = 0;
  }

  private append(line: string): 'last page' | 'new page' | 'nowhere' {
    const most = line.length * MAX_BYTES_PER_UNIT;
    const last = this.pages.at(-1) as Page;
    const isFull = last.used + most > last.bytes.length;
    const page = isFull ? this.begin(most) : last;
    if (page === undefined) return 'nowhere';
    page.used += page.bytes.write(line, page.used);
    return isFull ? 'new page' : 'last page';
  }

  private begin(bytes: number): Page | undefined {
    const { pageBytes, maxBytes } = this.limits;
    const size = Math.max(bytes, pageBytes);
    // A page that has nothing on it is too small for the line.
    if (this.isEmpty) this.release();
    else if (this.bytes + size > maxBytes) return undefined;
    const page = (size === pageBytes ? this.spare : undefined) ?? newPage(size);
    if (page === this.spare) this.spare = undefined;
    this.pages.push(page);
    this.bytes += size;
    return page;
  }

  private release(): void {
    const page = this.pages.shift() as Page;
    this.bytes -= page.bytes.length;
    if (page.bytes.length === this.limits.pageBytes) this.spare = page;
  }
}

function newPage(size: number): Page {
  return { bytes: Buffer.allocUnsafeSlow(size), used: 0 };
}
