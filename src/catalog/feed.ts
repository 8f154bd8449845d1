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
}

export const UNKNOWN_FEED: FeedState<never> = { last: undefined, outcome: undefined };

export function afterRefresh<T>(state: FeedState<T>, refresh: Refresh<T>, nowMs: number): FeedState<T> {
  const last = refresh.kind === 'ok' ? { value: refresh.value, fetchedAtMs: nowMs } : state.last;
  return { last, outcome: refresh.kind };
}
