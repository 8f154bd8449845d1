/** Without a further time for so long it is over. In milliseconds. */
const QUIET_MS = 10_000;

/** Something that happens again and again, of which only the beginning and the end are worth a word. */
export class Episode {
  private times = 0;
  private lastMs = 0;

  /** @returns whether it has begun with this time. */
  happened(nowMs: number): boolean {
    this.times += 1;
    this.lastMs = nowMs;
    return this.times === 1;
  }

  /** @returns how many times it was if it is over. Each end is told once. */
  endedBy(nowMs: number): number | undefined {
    if (this.times === 0 || nowMs - this.lastMs < QUIET_MS) return undefined;
    const { times } = this;
    this.times = 0;
    return times;
  }
}
