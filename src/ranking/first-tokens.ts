/** How long a first token counts. */
const WINDOW_MS = 600_000;
/** With fewer nothing is known. */
const ENOUGH = 5;
/** So many of a model are remembered: more of the last ten minutes hardly move their median. */
const REMEMBERED = 256;
/** And so many models: the one that answered the longest ago is forgotten first. */
const MAX_MODELS = 512;

/** How long models took to their first token, over the last ten minutes. To note one takes no memory, but for the first of a model. */
export class FirstTokens {
  private readonly models = new Map<string, Ring>();
  private readonly scratch = new Float64Array(REMEMBERED);

  /** @param seconds from the sending of the request to the first byte of the answer's body */
  observe(model: string, seconds: number, nowMs: number): void {
    let ring = this.models.get(model);
    if (!ring) {
      if (this.models.size === MAX_MODELS) this.forgetOne();
      ring = new Ring();
      this.models.set(model, ring);
    }
    ring.add(seconds, nowMs);
  }

  /** The median of a model, in seconds; `undefined` where fewer than five are known. */
  medianS(model: string, nowMs: number): number | undefined {
    const ring = this.models.get(model);
    if (!ring) return undefined;
    const size = ring.copyTo(this.scratch, nowMs - WINDOW_MS);
    if (size < ENOUGH) return undefined;
    const sorted = this.scratch.subarray(0, size).toSorted();
    const middle = size >>> 1;
    const upper = sorted[middle] as number;
    return size % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
  }

  private forgetOne(): void {
    let oldest: string | undefined;
    let oldestMs = Infinity;
    for (const [model, { lastMs }] of this.models) {
      if (lastMs >= oldestMs) continue;
      oldest = model;
      oldestMs = lastMs;
    }
    if (oldest !== undefined) this.models.delete(oldest);
  }
}

/** The last ones of a model. */
class Ring {
  lastMs = -Infinity;
  private readonly seconds = new Float64Array(REMEMBERED);
  private readonly atMs = new Float64Array(REMEMBERED).fill(-Infinity);
  private next = 0;

  add(seconds: number, nowMs: number): void {
    this.seconds[this.next] = seconds;
    this.atMs[this.next] = nowMs;
    this.next = (this.next + 1) % REMEMBERED;
    this.lastMs = nowMs;
  }

  /** Those that came after a moment. @returns how many they are */
  copyTo(target: Float64Array, afterMs: number): number {
    let size = 0;
    for (let at = 0; at < REMEMBERED; at += 1) {
      if ((this.atMs[at] as number) <= afterMs) continue;
      target[size] = this.seconds[at] as number;
      size += 1;
    }
    return size;
  }
}
