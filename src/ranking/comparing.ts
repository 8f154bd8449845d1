/** Which of two goes first, as `toSorted` asks. */
export type Comparator<T> = (a: T, b: T) => number;

/** The first that tells the two apart decides. */
export function inTurn<T>(...comparators: readonly Comparator<T>[]): Comparator<T> {
  return (a, b) => {
    for (const compare of comparators) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** The smaller figure first, an unknown one last. */
export function ascending<T>(figure: (of: T) => number | undefined): Comparator<T> {
  return (a, b) => byValue(figure(a) ?? Infinity, figure(b) ?? Infinity);
}

/** The larger figure first, an unknown one last. */
export function descending<T>(figure: (of: T) => number | undefined): Comparator<T> {
  return (a, b) => byValue(figure(b) ?? -Infinity, figure(a) ?? -Infinity);
}

/** Compares instead of subtracting: two infinite figures would give NaN. */
function byValue(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
