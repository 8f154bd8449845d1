import { describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { type ModelList, readModelList } from '../catalog/model-list.js';
import { readUtilization } from '../catalog/utilization-feed.js';
import { eligibleModels } from './eligible.js';
import { STRATEGIES } from './strategies.js';

jest.setTimeout(30_000);

/** A number that a row may lack. */
type Maybe = number | null | undefined;

/** A row of the feed; every ratio is a whole number of hundredths. */
interface Row {
  readonly name: string;
  readonly n: Maybe;
  readonly current: Maybe;
  readonly used: readonly Maybe[];
  readonly limited: readonly Maybe[];
  readonly scalable: boolean | undefined;
  readonly allowance: Maybe;
}

/** What decides between two rows, the most important first; the smaller one goes first. Whole numbers: no rounding. */
type Figures = readonly [score: number, n: number, used: number, limited: number];

const NAMES = [
  'a/one',
  'a/one-TEE',
  'B/two',
  'b/two-TEE',
  'ä/three',
  '\uFFFD/four',
  '\u{1F600}/five-TEE',
  '[private chute]',
];

describe('rank, beside the same rules written in another way', () => {
  const missing = fc.constantFrom(null, undefined);
  const hundredths = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 160 }) }, missing);

  const anyRow: fc.Arbitrary<Row> = fc.record({
    name: fc.constantFrom(...NAMES),
    n: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) }, missing),
    current: hundredths,
    used: fc.tuple(hundredths, hundredths, hundredths),
    limited: fc.tuple(hundredths, hundredths, hundredths),
    scalable: fc.constantFrom(true, false, undefined),
    allowance: fc.oneof(fc.integer({ min: 0, max: 12 }), missing),
  });

  /** Full, and limited in such a way that sums of halves are exact: rows with the same score are frequent. */
  const tiedRow: fc.Arbitrary<Row> = fc.record({
    name: fc.constantFrom(...NAMES),
    n: fc.constantFrom(1, 2),
    current: fc.constantFrom(125, 150, null),
    used: fc.constantFrom([150, 150, 150], [200, null, undefined]),
    limited: fc.constantFrom([0, 100, 0], [25, 100, 0], [50, 100, 0], [50, null, null], [null, 100, null]),
    scalable: fc.constantFrom(false, undefined),
    allowance: fc.constant(8),
  });

  const anyList = fc.option(fc.subarray(NAMES), { nil: undefined });

  it('RNK-10, RNK-14: the same models by the same scores', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 12 }), anyList, (rows, ids) => {
        const best = bestOfEachName(rows, ids);
        const ranked = ranking(rows, ids);
        expect(ranked.toSorted()).toEqual([...best.keys()].toSorted());
        // Where two scores are equal, rounding may tell them apart: the next test looks at ties.
        const scores = ranked.map((name) => best.get(name)?.[0]);
        expect(scores).toEqual(scores.toSorted((a = 0, b = 0) => a - b));
      }),
      { numRuns: 1_000 },
    );
  });

  it('RNK-12, RNK-14: the same order where scores are equal', () => {
    fc.assert(
      fc.property(fc.array(tiedRow, { maxLength: 12 }), anyList, (rows, ids) => {
        expect(ranking(rows, ids)).toEqual(inOrder(bestOfEachName(rows, ids)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('RNK-13: the order of the rows does not matter, however extreme their numbers', () => {
    const extreme = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(null, undefined, 0, 1, -1, Number.MAX_VALUE, -Number.MAX_VALUE),
    );
    const row = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      active_instance_count: fc.oneof(
        fc.constantFrom(1, 2),
        fc.double({ min: 1e-300, max: 1e308, noNaN: true }),
      ),
      utilization_current: extreme,
      utilization_5m: extreme,
      utilization_15m: extreme,
      rate_limit_ratio_5m: extreme,
      rate_limit_ratio_1h: extreme,
      scalable: fc.boolean(),
      scale_allowance: extreme,
    });
    const bothOrders = fc
      .array(row, { maxLength: 8 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
    const list = listOf(['a', 'b', 'c', 'd', 'e']);
    fc.assert(
      fc.property(bothOrders, ([rows, shuffled]) => {
        expect(rank(readUtilization(shuffled)?.rows, list)).toEqual(rank(readUtilization(rows)?.rows, list));
      }),
      { numRuns: 2_000 },
    );
  });
});

function ranking(rows: readonly Row[], ids: readonly string[] | undefined): readonly string[] {
  return rank(readUtilization(rows.map(feedRow))?.rows, listOf(ids));
}

function feedRow({ name, n, current, used, limited, scalable, allowance }: Row): object {
  return {
    name,
    active_instance_count: n,
    scalable,
    scale_allowance: allowance,
    utilization_current: ratio(current),
    utilization_5m: ratio(used[0]),
    utilization_15m: ratio(used[1]),
    utilization_1h: ratio(used[2]),
    rate_limit_ratio_5m: ratio(limited[0]),
    rate_limit_ratio_15m: ratio(limited[1]),
    rate_limit_ratio_1h: ratio(limited[2]),
  };
}

function listOf(ids: readonly string[] | undefined): ModelList | undefined {
  return ids && readModelList({ data: ids.map((id) => ({ id })) })?.list;
}

function ratio(hundredths: Maybe): Maybe {
  return typeof hundredths === 'number' ? hundredths / 100 : hundredths;
}

function bestOfEachName(rows: readonly Row[], ids: readonly string[] | undefined): Map<string, Figures> {
  const best = new Map<string, Figures>();
  for (const row of rows) {
    const { name, n } = row;
    const isKnown = ids === undefined ? name.endsWith('-TEE') : ids.includes(name);
    if (!isKnown || name === '[private chute]' || typeof n !== 'number' || n < 1) continue;
    const figures = figuresOf(row, n);
    const known = best.get(name);
    if (known === undefined || isLess(figures, known)) best.set(name, figures);
  }
  return best;
}

/** A score counts in thousandths: with ratios in hundredths, every term of it is then a whole number. */
function figuresOf({ current, used, limited, scalable, allowance }: Row, n: number): Figures {
  const u5 = firstOf(used[0], current, 100);
  const u15 = firstOf(used[1], u5);
  const u1h = firstOf(used[2], u15);
  const r5 = firstOf(limited[0], 0);
  const r15 = firstOf(limited[1], r5);
  const r1h = firstOf(limited[2], r15);

  const freeThousandths = 1000 - (6 * u5 + 3 * u15 + u1h);
  const [worst400ths = 0] = [4 * r5, 2 * r15, r1h].toSorted((a, b) => b - a);
  let score = -5 * n * worst400ths;
  if (freeThousandths > 0) score += n * freeThousandths;
  if (scalable === true) score += 50 * Math.min(8, firstOf(allowance, 0));
  return [-score, -n, firstOf(current, u5), r5];
}

function firstOf(...values: readonly Maybe[]): number {
  return values.find((value) => typeof value === 'number') ?? Number.NaN;
}

/** Takes the first of those that are left, again and again. */
function inOrder(best: ReadonlyMap<string, Figures>): string[] {
  const left = new Map(best);
  const order: string[] = [];
  while (left.size > 0) {
    const [first] = [...left].reduce((a, b) => (isBefore(b, a) ? b : a));
    order.push(first);
    left.delete(first);
  }
  return order;
}

function isBefore([nameA, a]: [string, Figures], [nameB, b]: [string, Figures]): boolean {
  return isLess(a, b) || (!isLess(b, a) && isLess(codeUnits(nameA), codeUnits(nameB)));
}

/** Whether the first difference is in favour of `a`; a sequence that ends is less than one that goes on. */
function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, figure] of a.entries()) {
    const other = b[i] ?? -Infinity;
    if (figure !== other) return figure < other;
  }
  return a.length < b.length;
}

function codeUnits(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}

function rank(...feeds: Parameters<typeof eligibleModels>): readonly string[] {
  return eligibleModels(...feeds)
    .toSorted(STRATEGIES.capacity)
    .map(({ id }) => id);
}
