/** A value and when it was last fetched, in milliseconds of a monotonic clock. */
export interface Snapshot<T> {
  readonly value: T;
  readonly fetchedAtMs: number;
}

export function ageMs(snapshot: Snapshot<unknown> | undefined, nowMs: number): number | undefined {
  return snapshot && nowMs - snapshot.fetchedAtMs;
}
