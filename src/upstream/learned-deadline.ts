/** How many first bytes are remembered, and with how few nothing is learned yet. */
const REMEMBERED = 100;
const ENOUGH = 20;
const SHARE = 0.95;
const TIMES = 3;
const LEAST_MS = 5_000;
/** A long prompt takes its time before the first token: so many bytes of it a second. */
const PROMPT_BYTES_PER_MS = 8;

/**
 * How long the first byte of a stream mostly takes, over all models: with deadlines of their own, models that slow down together
 * would all be given up at once. Observing and asking take no memory.
 */
export class FirstBytes {
  /** In the order in which they came, from `next` on, once it is full. */
  private readonly recent = new Float64Array(REMEMBERED);
  private readonly sorted = new Float64Array(REMEMBERED);
  private size = 0;
  private next = 0;

  /** @param ms to the first byte; of an attempt that was given up, to its deadline */
  observe(ms: number): void {
    if (this.size === REMEMBERED) this.forget(this.recent[this.next] as number);
    const at = this.placeOf(ms);
    this.sorted.copyWithin(at + 1, at, this.size);
    this.sorted[at] = ms;
    this.size += 1;
    this.recent[this.next] = ms;
    this.next = (this.next + 1) % REMEMBERED;
  }

  /**
   * How long a first attempt may take to its first byte, in milliseconds.
   *
   * @returns Infinity while too little is known.
   */
  deadlineMs(promptBytes: number): number {
    if (this.size < ENOUGH) return Infinity;
    const p95 = this.sorted[Math.ceil(SHARE * this.size) - 1] as number;
    return Math.max(LEAST_MS, TIMES * p95) + promptBytes / PROMPT_BYTES_PER_MS;
  }

  private forget(ms: number): void {
    const at = this.placeOf(ms);
    this.sorted.copyWithin(at, at + 1, this.size);
    this.size -= 1;
  }

  /** The first place that holds no less. */
  private placeOf(ms: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sorted[middle] as number) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
