/** What is followed of each model. */
export const FOLLOWED = ['utilization', 'ttft_s'] as const;

type Figures = Readonly<Partial<Record<(typeof FOLLOWED)[number], number | undefined>>>;
type Lines = Readonly<Record<(typeof FOLLOWED)[number], Float32Array>>;

/** A point a minute, oldest first; the last one is that of the newest sample. `null` where nothing is known. */
export type History = Readonly<Record<(typeof FOLLOWED)[number], readonly (number | null)[]>>;

const POINTS = 60;
const MINUTE_MS = 60_000;
/** Half a KiB each. Far more than there are models, and a feed gone mad fills no memory. */
const MAX_MODELS = 2_000;

/** What became of some figures of each model within the last hour. */
export class ModelHistory {
  private readonly lines = new Map<string, Lines>();
  private minute = -Infinity;

  /** Takes the figures of all models; of a minute the first that are known. @param nowMs of a monotonic clock */
  sample(models: readonly (readonly [id: string, figures: Figures])[], nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const isNew = minute !== this.minute;
    const missed = Math.min(POINTS, minute - this.minute - 1);
    this.minute = minute;
    const listed = new Set(models.map(([id]) => id));
    for (const id of this.lines.keys()) if (!listed.has(id)) this.lines.delete(id);
    for (const [id, figures] of models) {
      const lines = this.linesOf(id);
      if (!lines) continue;
      for (const figure of FOLLOWED) {
        for (let ago = 1; ago <= missed; ago += 1) lines[figure][placeOf(minute - ago)] = NaN;
        if (isNew || Number.isNaN(lines[figure][placeOf(minute)])) {
          lines[figure][placeOf(minute)] = figures[figure] ?? NaN;
        }
      }
    }
  }

  /** Minutes before the first sample are left out. */
  of(id: string): History {
    return { utilization: this.line(id, 'utilization'), ttft_s: this.line(id, 'ttft_s') };
  }

  private line(id: string, figure: (typeof FOLLOWED)[number]): readonly (number | null)[] {
    const line = this.lines.get(id)?.[figure];
    if (!line) return [];
    const points = Array.from(
      { length: POINTS },
      (_, n) => line[placeOf(this.minute - POINTS + 1 + n)] as number,
    );
    const first = points.findIndex((point) => !Number.isNaN(point));
    if (first === -1) return [];
    return points
      .slice(first)
      .map((point) => (Number.isNaN(point) ? null : Math.round(point * 1_000) / 1_000));
  }

  private linesOf(id: string): Lines | undefined {
    let lines = this.lines.get(id);
    if (!lines && this.lines.size < MAX_MODELS) {
      lines = { utilization: newLine(), ttft_s: newLine() };
      this.lines.set(id, lines);
    }
    return lines;
  }
}

function newLine(): Float32Array {
  return new Float32Array(POINTS).fill(NaN);
}

function placeOf(minute: number): number {
  return ((minute % POINTS) + POINTS) % POINTS;
}
