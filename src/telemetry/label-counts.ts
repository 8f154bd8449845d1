type Label = string | number;

/** Counts by one or two labels, from one scrape to the next: what counts with each request is to cost two look-ups, no more. */
export class LabelCounts<A extends Label, B extends Label = ''> {
  private readonly counts = new Map<A, Map<B | '', number>>();

  constructor(private readonly labels: readonly string[]) {}

  add(first: A, second: B | '' = ''): void {
    let row = this.counts.get(first);
    if (!row) {
      row = new Map();
      this.counts.set(first, row);
    }
    row.set(second, (row.get(second) ?? 0) + 1);
  }

  /** Hands over what has been counted since the last time. */
  drain(take: (labels: Readonly<Record<string, Label>>, count: number) => void): void {
    for (const [first, row] of this.counts) {
      for (const [second, count] of row) {
        const values = [first, second];
        take(Object.fromEntries(this.labels.map((label, i) => [label, values[i] as Label])), count);
      }
    }
    this.counts.clear();
  }
}
