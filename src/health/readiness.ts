import type { FeedState } from '../catalog/feed.js';
import type { ModelList } from '../catalog/model-list.js';
import { ageMs } from '../catalog/snapshot.js';
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
