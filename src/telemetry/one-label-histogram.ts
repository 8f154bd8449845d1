/** One line of a histogram as prom-client's registry writes it. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Series {
  /** How many observations each bucket took by itself; the last one is that of `+Inf`. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram with one label, for what is observed with each request: prom-client's own puts a string together and looks it up
 * for each observation. To its registry this is a metric like any other.
 */
export class OneLabelHistogram<L extends string> {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly series = new Map<L, Series>();

  /** @param bounds of the buckets, ascending, each with what is equal to it. */
  constructor(
    readonly name: string,
    readonly help: string,
    private readonly label: string,
    private readonly bounds: readonly number[],
  ) {}

  observe(of: L, value: number): void {
    let series = this.series.get(of);
    if (!series) {
      series = { counts: Array.from({ length: this.bounds.length + 1 }, () => 0), sum: 0 };
      this.series.set(of, series);
    }
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.sum += value;
  }

  /** What a scrape shows: each bucket with all that are smaller. */
  get(): object {
    const { name, help, type, aggregator } = this;
    return {
      name,
      help,
      type,
      aggregator,
      values: [...this.series].flatMap(([of, it]) => this.samples(of, it)),
    };
  }

  private samples(of: L, { counts, sum }: Series): Sample[] {
    const { name, label, bounds } = this;
    let count = 0;
    const buckets = counts.map((own, i) => {
      count += own;
      return { metricName: `${name}_bucket`, labels: { le: bounds[i] ?? '+Inf', [label]: of }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { [label]: of }, value: sum },
      { metricName: `${name}_count`, labels: { [label]: of }, value: count },
    ];
  }
}
