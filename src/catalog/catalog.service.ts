import { Injectable } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { afterRefresh, type FeedState, type Refresh, UNKNOWN_FEED } from './feed.js';
import type { ModelList } from './model-list.js';
import type { Statistics } from './statistics.js';
import type { UtilizationRow } from './utilization-feed.js';

/** What each feed carries. */
export interface Feeds {
  models: ModelList;
  utilization: readonly UtilizationRow[];
  stats: Statistics;
}

export type FeedName = keyof Feeds;

/** The feeds as last fetched: the last good value survives every failure. */
@Injectable()
export class CatalogService {
  private states: { readonly [F in FeedName]: FeedState<Feeds[F]> } = {
    models: UNKNOWN_FEED,
    utilization: UNKNOWN_FEED,
    stats: UNKNOWN_FEED,
  };
  private readonly changed = new Subject<FeedName>();

  /** Emits after a feed got a new value; a refresh that brought the same one only makes it younger. */
  readonly changes: Observable<FeedName> = this.changed;

  get models(): FeedState<ModelList> {
    return this.states.models;
  }

  get utilization(): FeedState<readonly UtilizationRow[]> {
    return this.states.utilization;
  }

  get stats(): FeedState<Statistics> {
    return this.states.stats;
  }

  apply<F extends FeedName>(feed: F, refresh: Refresh<Feeds[F]>, nowMs: number): void {
    const before: FeedState<Feeds[F]> = this.states[feed];
    const after = afterRefresh(before, refresh, nowMs);
    this.states = { ...this.states, [feed]: after };
    if (after.last?.value !== before.last?.value) this.changed.next(feed);
  }
}
