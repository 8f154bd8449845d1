import { describe, expect, it } from '@jest/globals';
import type { FeedState } from '../catalog/feed.js';
import { EMPTY_MODEL_LIST } from '../catalog/model-list.js';
import type { ReadinessCode } from '../openai/error-response.js';
import { allowlistProblem, snapshotProblem } from './readiness.js';

const NOW_MS = 10_000;
const MAX_AGE_MS = 500;

type Outcome = FeedState<unknown>['outcome'];

/** A feed of which something was loaded so many milliseconds ago, or never. */
function fetched<T>(value: T, ageMs: number | undefined, outcome: Outcome): FeedState<T> {
  return { last: ageMs === undefined ? undefined : { value, fetchedAtMs: NOW_MS - ageMs }, outcome };
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
