/** Lets at most so many things through in any stretch of time. */
export class AtMost {
  /** When the last ones went through, in a ring. */
  private readonly passedAtMs: Float64Array;
  private next = 0;

  constructor(
    limit: number,
    private readonly withinMs: number,
  ) {
    this.passedAtMs = new Float64Array(limit).fill(-Infinity);
  }

  /** @param nowMs of a monotonic clock. @returns whether this one may */
  passes(nowMs: number): boolean {
    if (nowMs - (this.passedAtMs[this.next] as number) < this.withinMs) return false;
    this.passedAtMs[this.next] = nowMs;
    this.next = (this.next + 1) % this.passedAtMs.length;
    return true;
  }
}
