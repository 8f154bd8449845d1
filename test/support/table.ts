/** The sum of all counts. */
export function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** Rows under a heading, the numbers right-aligned. */
export function table(heading: string, rows: Iterable<readonly [string, number | string]>): string {
  const lines = [...rows].map(([name, value]) => `  ${name.padEnd(44, '.')} ${grouped(value).padStart(11)}`);
  return [heading, ...lines, ''].join('\n');
}

/** The largest first. */
export function byCount(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].toSorted(([, a], [, b]) => b - a);
}

/** Digits in groups of three. */
function grouped(value: number | string): string {
  return typeof value === 'string' ? value : String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ' ');
}
