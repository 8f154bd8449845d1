import { describe, expect, it } from '@jest/globals';
import type { FeedState } from '../catalog/feed.js';
import { EMPTY_MODEL_LIST } from '../catalog/model-list.js';
import type { ReadinessCode } from '../openai/error-response.js';
import { loadConfig } from '../config/config.js';
import { allowlistProblem, snapshotProblem, tightIntervals } from './readiness.js';

const NOW_MS = 10_000;
const MAX_AGE_MS = 500;

type Outcome = FeedState<unknown>['outcome'];

/** A feed of which something was loaded so many milliseconds ago, or never. */
function fetched<T>(value: T, ageMs: number | undefined, outcome: Outcome): FeedState<T> {
  const last = ageMs === undefined ? undefined : { value, fetchedAtMs: NOW_MS - ageMs };
  return { last, outcome, failures: outcome === 'ok' ? 0 : 1 };
}

describe('allowlistProblem', () => {
  it.each<[clause: string, age: number | undefined, outcome: Outcome, problem: ReadinessCode | undefined]>([
    ['HLT-1', 0, 'ok', undefined],
    ['HLT-1', 500, 'ok', undefined],
    ['HLT-5', 501, 'ok', 'stale_allowlist'],
    ['HLT-1', 500, 'error', undefined],
    ['HLT-1', 500, 'empty', undefined],
    ['HLT-5', 501, 'error', 'stale_allowlist'],
    ['HLT-5', 501, 'empty', 'stale_allowlist'],
    ['HLT-4', undefined, undefined, 'missing_allowlist'],
    ['HLT-4', undefined, 'error', 'missing_allowlist'],
    ['HLT-3', undefined, 'empty', 'allowlist_empty'],
  ])('%s: fetched %s ms ago, the last outcome %s: %s', (_clause, age, outcome, problem) => {
    expect(allowlistProblem(fetched(EMPTY_MODEL_LIST, age, outcome), NOW_MS, MAX_AGE_MS)).toBe(problem);
  });
});

describe('snapshotProblem', () => {
  it.each<
    [
      clause: string,
      age: number | undefined,
      outcome: Outcome,
      candidates: number,
      problem: ReadinessCode | undefined,
    ]
  >([
    ['HLT-1', 0, 'ok', 1, undefined],
    ['HLT-1', 500, 'ok', 1, undefined],
    ['HLT-8', 501, 'ok', 1, 'stale_snapshot'],
    ['HLT-1', 500, 'error', 1, undefined],
    ['HLT-8', 501, 'empty', 1, 'stale_snapshot'],
    ['HLT-7', 0, 'ok', 0, 'no_candidates'],
    ['HLT-9', 501, 'ok', 0, 'no_candidates'],
    ['HLT-6', undefined, undefined, 0, 'missing_snapshot'],
    ['HLT-6', undefined, 'error', 0, 'missing_snapshot'],
    ['HLT-6', undefined, 'empty', 0, 'missing_snapshot'],
    ['HLT-6', undefined, 'error', 9, 'missing_snapshot'],
  ])(
    '%s: fetched %s ms ago, the last outcome %s, %i eligible: %s',
    (_clause, age, outcome, candidates, problem) => {
      expect(snapshotProblem(fetched(null, age, outcome), candidates, NOW_MS, MAX_AGE_MS)).toBe(problem);
    },
  );
});

describe('tightIntervals', () => {
  const models = { interval: 'MODELS_REFRESH_MS', limit: 'READYZ_MAX_ALLOWLIST_AGE_MS' };
  const utilization = { interval: 'UTILIZATION_REFRESH_MS', limit: 'READYZ_MAX_SNAPSHOT_AGE_MS' };

  it.each([
    [{}, []],
    [{ MODELS_REFRESH_MS: '300001' }, [models]],
    [{ READYZ_MAX_ALLOWLIST_AGE_MS: '599999' }, [models]],
    [{ UTILIZATION_REFRESH_MS: '10000' }, []],
    [{ UTILIZATION_REFRESH_MS: '10001' }, [utilization]],
    [{ READYZ_MAX_SNAPSHOT_AGE_MS: '1', MODELS_REFRESH_MS: '1' }, [utilization]],
    [{ UTILIZATION_REFRESH_MS: '60000', MODELS_REFRESH_MS: '900000' }, [models, utilization]],
  ])('HLT-19: with %j these leave no room for a miss: %j', (env, tight) => {
    expect(tightIntervals(loadConfig(env))).toEqual(tight);
  });
});
