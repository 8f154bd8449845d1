import { expect, test } from '@jest/globals';
import { Shared } from './shared.js';

/** Something to share that tells how often it was made; each is ready when its `finish` is called. */
function workshop(): { shared: Shared<number>; finish: ((error?: Error) => void)[] } {
  const finish: ((error?: Error) => void)[] = [];
  const shared = new Shared(async () => {
    const n = finish.length + 1;
    await new Promise<void>((resolve, reject) => {
      finish.push((error) => (error ? reject(error) : resolve()));
    });
    return n;
  }, 250);
  return { shared, finish };
}

test('OBS-42: whoever comes within the time, or while it is made, gets the same', async () => {
  const { shared, finish } = workshop();
  const early = [shared.get(1_000), shared.get(1_001), shared.get(1_400)];
  finish[0]?.();
  expect(await Promise.all(early)).toEqual([1, 1, 1]);
  expect(await shared.get(1_249)).toBe(1);

  const late = shared.get(1_250);
  finish[1]?.();
  expect([await late, await shared.get(1_499)]).toEqual([2, 2]);
});

test('OBS-42: what failed is not kept', async () => {
  const { shared, finish } = workshop();
  const failing = [shared.get(0), shared.get(1)];
  finish[0]?.(new Error('No.'));
  expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const next = shared.get(2);
  finish[1]?.();
  expect(await next).toBe(2);
});
