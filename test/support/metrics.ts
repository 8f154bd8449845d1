import { eventually } from './router.js';

const PREFIX = 'chutes_autopilot_';

export type Labels = Readonly<Record<string, string | number>>;

/** One scrape of `/metrics`. Names are without the router's prefix. */
export class Metrics {
  readonly #values = new Map<string, number>();

  constructor(readonly text: string) {
    for (const [, name = '', labels = '', value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
      this.#values.set(keyOf(name, labelsIn(labels)), Number(value));
    }
  }

  /** Name and labels of every series of the router's own. */
  get series(): readonly string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(PREFIX)).toSorted();
  }

  /** The value of one series; 0 if it is not there, as counters are before they count. */
  value(name: string, labels: Labels = {}): number {
    return this.#values.get(keyOf(PREFIX + name, labels)) ?? 0;
  }

  /** Whether there is such a series. */
  has(name: string, labels: Labels = {}): boolean {
    return this.#values.has(keyOf(PREFIX + name, labels));
  }

  /** The series of a counter by its one label, those still at 0 left out. */
  by(label: string, name: string): Readonly<Record<string, number>> {
    const prefix = `${PREFIX + name}{${label}=`;
    const found = [...this.#values].filter(([key, value]) => key.startsWith(prefix) && value > 0);
    return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length, -1), value]));
  }

  /** Every value that a label has, in any series. */
  valuesOf(label: string): readonly string[] {
    const values = [...this.text.matchAll(new RegExp(`[{,]${label}="((?:[^"\\\\]|\\\\.)*)"`, 'g'))];
    return [...new Set(values.map(([, value = '']) => value))].toSorted();
  }
}

/** For so long after it a scrape may bring what another one has brought. */
const SHARED_FOR_MS = 250;
const scrapedAtMs = new Map<string, number>();

/** Scrapes a router, and waits until it brings what holds now. */
export async function metricsOf({ url }: { readonly url: string }): Promise<Metrics> {
  const ageMs = performance.now() - (scrapedAtMs.get(url) ?? -Infinity);
  // Timers can fire early by a fraction of a millisecond.
  if (ageMs <= SHARED_FOR_MS + 1)
    await new Promise((resolve) => setTimeout(resolve, SHARED_FOR_MS + 2 - ageMs));
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  scrapedAtMs.set(url, performance.now());
  return new Metrics(text);
}

/** Scrapes until `n` requests have ended in all and none is running. */
export async function metricsAfter(router: { readonly url: string }, n: number): Promise<Metrics> {
  let metrics = await metricsOf(router);
  await eventually(async () => {
    metrics = await metricsOf(router);
    const ended = Object.values(metrics.by('status', 'requests_total')).reduce((sum, one) => sum + one, 0);
    if (ended > n) throw new Error(`${ended} requests have ended instead of ${n}.`);
    return ended === n && metrics.value('requests_active') === 0;
  });
  return metrics;
}

function labelsIn(text: string): Labels {
  const pairs = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, value]));
}

function keyOf(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return pairs.length === 0 ? name : `${name}{${pairs.toSorted().join(',')}}`;
}
