/** A place in a roster. */
export interface Entry<T> {
  readonly item: T;
  /** -1 once it has left. */
  index: number;
}

/**
 * What is running at the moment, in no order. Joining and leaving take constant time and leave nothing behind.
 *
 * A `Map` or `Set` links each table that it has outgrown to the next one. Once a garbage collection has moved one
 * of them to the old generation, whatever is in the later ones is kept as well, until the next full collection.
 * With one entry for each request, that was every request.
 */
export class Roster<T> implements Iterable<T> {
  private readonly entries: Entry<T>[] = [];

  get size(): number {
    return this.entries.length;
  }

  add(item: T): Entry<T> {
    const entry = { item, index: this.entries.length };
    this.entries.push(entry);
    return entry;
  }

  /** May be called more than once. */
  remove(entry: Entry<T>): void {
    const { index } = entry;
    if (index === -1) return;
    entry.index = -1;
    const last = this.entries.pop();
    if (last === undefined || last === entry) return;
    last.index = index;
    this.entries[index] = last;
  }

  /** Those that are there now: the caller may remove some meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.entries.map(({ item }) => item)[Symbol.iterator]();
  }
}
