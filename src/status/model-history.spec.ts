import { describe, expect, test } from '@jest/globals';
import { ModelHistory } from './model-history.js';

const MINUTE = 60_000;
const many = (count: number) =>
  Array.from({ length: count }, (_, n) => [`m/${n}`, { utilization: 0.5 }] as const);

describe('the last hour of a model', () => {
  test('STA-17: has a point a minute, the newest last', () => {
    const history = new ModelHistory();
    for (const [minute, utilization] of [0.1, 0.2, 0.3].entries()) {
      history.sample([['a', { utilization }]], minute * MINUTE);
      // One a minute is enough.
      history.sample([['a', { utilization: 0.9 }]], minute * MINUTE + 59_999);
    }
    expect(history.of('a')).toEqual({ utilization: [0.1, 0.2, 0.3], ttft_s: [] });
    expect(history.of('b')).toEqual({ utilization: [], ttft_s: [] });
  });

  test('STA-17: has gaps where nothing was known, or no feed changed', () => {
    const history = new ModelHistory();
    history.sample([['a', { utilization: 0.5, ttft_s: 1.23456 }]], 100 * MINUTE);
    history.sample([['a', { utilization: undefined, ttft_s: 2 }]], 101 * MINUTE);
    history.sample([['a', { utilization: 0.6 }]], 104 * MINUTE);
    expect(history.of('a')).toEqual({
      utilization: [0.5, null, null, null, 0.6],
      ttft_s: [1.235, 2, null, null, null],
    });
  });

  test('STA-17: ends after sixty minutes', () => {
    const history = new ModelHistory();
    for (let minute = 0; minute < 150; minute += 1) {
      history.sample([['a', { utilization: minute }]], minute * MINUTE);
    }
    const { utilization } = history.of('a');
    expect(utilization).toHaveLength(60);
    expect([utilization[0], utilization.at(-1)]).toEqual([90, 149]);
    // Nothing of the hour before is left when a feed was silent for longer than that.
    history.sample([['a', { utilization: 7 }]], 1_000 * MINUTE);
    expect(history.of('a').utilization).toEqual([7]);
  });

  test('STA-17: forgets models that are gone, and follows only so many', () => {
    const history = new ModelHistory();
    history.sample(many(5_000), 0);
    const followed = many(5_000).filter(([id]) => history.of(id).utilization.length > 0);
    expect(followed).toHaveLength(2_000);
    history.sample([['new', { utilization: 0.5 }]], MINUTE);
    expect(history.of('m/0').utilization).toEqual([]);
    history.sample([['new', { utilization: 0.5 }]], 2 * MINUTE);
    expect(history.of('new').utilization).toEqual([0.5, 0.5]);
  });
});
