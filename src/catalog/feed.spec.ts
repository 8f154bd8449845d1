import { describe, expect, it } from '@jest/globals';
import { afterRefresh, type FeedState, UNKNOWN_FEED } from './feed.js';
import { ageMs } from './snapshot.js';

const GOOD: FeedState<string> = { last: { value: 'old', fetchedAtMs: 100 }, outcome: 'ok', failures: 0 };

describe('afterRefresh', () => {
  it('CAT-15: a good fetch brings the value and its time, from whatever state', () => {
    const fresh = { last: { value: 'new', fetchedAtMs: 500 }, outcome: 'ok', failures: 0 };
    const failed = afterRefresh(GOOD, { kind: 'empty' }, 200);
    for (const before of [UNKNOWN_FEED, GOOD, failed]) {
      expect(afterRefresh(before, { kind: 'ok', value: 'new' }, 500)).toEqual(fresh);
    }
  });

  it('CAT-15: a good fetch of the same value makes it younger', () => {
    const after = afterRefresh(GOOD, { kind: 'ok', value: 'old' }, 500);
    expect(ageMs(after.last, 600)).toBe(100);
  });

  it('CAT-5, CAT-10: a failure keeps the last good value and its age', () => {
    const after = afterRefresh(GOOD, { kind: 'error', reason: 'status 500' }, 500);
    expect(after).toEqual({ last: { value: 'old', fetchedAtMs: 100 }, outcome: 'error', failures: 1 });
    const later = afterRefresh(after, { kind: 'empty' }, 900);
    expect(later).toEqual({ last: { value: 'old', fetchedAtMs: 100 }, outcome: 'empty', failures: 2 });
    expect(ageMs(later.last, 1_000)).toBe(900);
  });

  it('CAT-5: where nothing was ever good, a failure leaves nothing', () => {
    const after = afterRefresh<string>(UNKNOWN_FEED, { kind: 'error', reason: 'status 500' }, 500);
    expect(after).toEqual({ last: undefined, outcome: 'error', failures: 1 });
    expect(ageMs(after.last, 1_000)).toBeUndefined();
  });
});
