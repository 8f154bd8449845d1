import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../../test/support/router.js';
import { TurnWatch } from './turn-watch.timer.js';

const turns: { readonly turnMs: number; readonly sinceLastMs: number }[] = [];
const watch = new TurnWatch((turnMs, sinceLastMs) => turns.push({ turnMs, sinceLastMs }));

afterEach(() => watch.stop());

/** Has turns of so many milliseconds come one after the other. */
function keepBusy(ms: number): NodeJS.Timeout {
  return setInterval(() => {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  }, 1);
}

test('OBS-33: turns are measured, at rest some ten a second, long ones one after the other', async () => {
  const beganAtMs = performance.now();
  watch.start();
  await eventually(() => turns.length >= 3);
  expect(performance.now() - beganAtMs).toBeGreaterThan(290);
  const ended = turns.length;

  const busy = keepBusy(150);
  await eventually(() => turns.filter(({ turnMs }) => turnMs >= 149).length >= 4);
  clearInterval(busy);
  const [, first, ...others] = turns.slice(ended).filter(({ turnMs }) => turnMs >= 149);
  expect(first).toBeDefined();
  // Nothing is between the end of one and the beginning of the next.
  for (const { turnMs, sinceLastMs } of others) expect(sinceLastMs).toBeCloseTo(turnMs, 3);

  watch.stop();
  const all = turns.length;
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(turns).toHaveLength(all);
});
