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
  it.each<[age: number | undefined, outcome: Outcome, problem: ReadinessCode | undefined]>([
    [0, 'ok', undefined],
    [500, 'ok', undefined],
    [501, 'ok', 'stale_allowlist'],
    [500, 'error', undefined],
    [500, 'empty', undefined],
    [501, 'error', 'stale_allowlist'],
    [501, 'empty', 'stale_allowlist'],
    [undefined, undefined, 'missing_allowlist'],
    [undefined, 'error', 'missing_allowlist'],
    [undefined, 'empty', 'allowlist_empty'],
  ])('HLT-1, HLT-3, HLT-4, HLT-5: fetched %s ms ago, the last outcome %s: %s', (age, outcome, problem) => {
    expect(allowlistProblem(fetched(EMPTY_MODEL_LIST, age, outcome), NOW_MS, MAX_AGE_MS)).toBe(problem);
  });
});

describe('snapshotProblem', () => {
  it.each<
    [age: number | undefined, outcome: Outcome, candidates: number, problem: ReadinessCode | undefined]
  >([
    [0, 'ok', 1, undefined],
    [500, 'ok', 1, undefined],
    [501, 'ok', 1, 'stale_snapshot'],
    [500, 'error', 1, undefined],
    [501, 'empty', 1, 'stale_snapshot'],
    [0, 'ok', 0, 'no_candidates'],
    [501, 'ok', 0, 'no_candidates'],
    [undefined, undefined, 0, 'missing_snapshot'],
    [undefined, 'error', 0, 'missing_snapshot'],
    [undefined, 'empty', 0, 'missing_snapshot'],
    [undefined, 'error', 9, 'missing_snapshot'],
  ])(
    'HLT-1, HLT-6, HLT-7, HLT-8, HLT-9: fetched %s ms ago, the last outcome %s, %i eligible: %s',
    (age, outcome, candidates, problem) => {
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
