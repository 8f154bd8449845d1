import type { FeedState } from '../catalog/feed.js';
import type { ModelList } from '../catalog/model-list.js';
import { ageMs } from '../catalog/snapshot.js';
import type { Config } from '../config/config.js';
import type { ReadinessCode } from '../openai/error-response.js';

/** Why the model list keeps the router from routing well, if it does. Ages count from the last successful fetch. */
export function allowlistProblem(
  models: FeedState<ModelList>,
  nowMs: number,
  maxAgeMs: number,
): ReadinessCode | undefined {
  const age = ageMs(models.last, nowMs);
  if (age === undefined) return models.outcome === 'empty' ? 'allowlist_empty' : 'missing_allowlist';
  return age > maxAgeMs ? 'stale_allowlist' : undefined;
}

/** Why the ranking keeps the router from routing well, if it does. */
export function snapshotProblem(
  utilization: FeedState<unknown>,
  candidates: number,
  nowMs: number,
  maxAgeMs: number,
): ReadinessCode | undefined {
  const age = ageMs(utilization.last, nowMs);
  if (age === undefined) return 'missing_snapshot';
  if (candidates === 0) return 'no_candidates';
  return age > maxAgeMs ? 'stale_snapshot' : undefined;
}

/** The names of a feed's interval and of the age up to which it counts. */
export interface TightInterval {
  readonly interval: string;
  readonly limit: string;
}

/** The intervals above half of their age limits: one missed refresh, and the feed is too old. */
export function tightIntervals({
  catalog,
  readiness,
}: Pick<Config, 'catalog' | 'readiness'>): readonly TightInterval[] {
  const tight: TightInterval[] = [];
  if (catalog.modelsRefreshMs > readiness.maxAllowlistAgeMs / 2)
    tight.push({ interval: 'MODELS_REFRESH_MS', limit: 'READYZ_MAX_ALLOWLIST_AGE_MS' });
  if (catalog.utilizationRefreshMs > readiness.maxSnapshotAgeMs / 2)
    tight.push({ interval: 'UTILIZATION_REFRESH_MS', limit: 'READYZ_MAX_SNAPSHOT_AGE_MS' });
  return tight;
}
