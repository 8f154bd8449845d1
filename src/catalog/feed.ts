import type { Snapshot } from './snapshot.js';

/** What one refresh brought. `empty` is a well-formed answer without one usable entry. */
export type Refresh<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'empty' }
  | { readonly kind: 'error'; readonly reason: string };

/** A feed as its refreshes left it: the last good value survives every failure. Immutable. */
export interface FeedState<T> {
  readonly last: Snapshot<T> | undefined;
  readonly outcome: Refresh<T>['kind'] | undefined;
  /** How many refreshes in a row have failed. */
  readonly failures: number;
}

export const UNKNOWN_FEED: FeedState<never> = { last: undefined, outcome: undefined, failures: 0 };

export function afterRefresh<T>(state: FeedState<T>, refresh: Refresh<T>, nowMs: number): FeedState<T> {
  if (refresh.kind !== 'ok') return { ...state, outcome: refresh.kind, failures: state.failures + 1 };
  return { last: { value: refresh.value, fetchedAtMs: nowMs }, outcome: 'ok', failures: 0 };
}
