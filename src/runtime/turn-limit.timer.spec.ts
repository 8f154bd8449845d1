import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { countReadStep, countStep, limitTurns, onTooMuchRead } from './turn-limit.timer.js';

const describeLinux = process.platform === 'linux' ? describe : describe.skip;
const kill = jest.spyOn(process, 'kill').mockReturnValue(true);
let nowMs = 0;
const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);

beforeEach(async () => {
  await turn();
  kill.mockClear();
});

afterAll(() => {
  clock.mockRestore();
  kill.mockRestore();
});

async function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function doMuch(): void {
  for (let step = 0; step < 1_000; step += 1) countStep();
}

/** Something that clients sent, for so long. */
function readFor(ms: number): void {
  for (let step = 0; step < 128; step += 1) countReadStep();
  nowMs += ms;
  for (let step = 0; step < 128; step += 1) countReadStep();
}

test('CFG-52: a process that has not asked for it does not end its turns', () => {
  doMuch();
  nowMs += 1_000;
  doMuch();
  expect(kill).not.toHaveBeenCalled();
});

describeLinux('on Linux', () => {
  test('CFG-52: a turn in which much is done is ended after 50 ms, once', () => {
    limitTurns();
    doMuch();
    nowMs += 50;
    doMuch();
    expect(kill).not.toHaveBeenCalled();
    nowMs += 1;
    doMuch();
    doMuch();
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGURG']]);
  });

  test('CFG-52: the next turn has 50 ms of its own', async () => {
    limitTurns();
    doMuch();
    nowMs += 40;
    await turn();
    doMuch();
    nowMs += 40;
    doMuch();
    expect(kill).not.toHaveBeenCalled();
    nowMs += 20;
    doMuch();
    expect(kill).toHaveBeenCalledTimes(1);
  });

  test('CFG-52: a turn in which little is done is not ended, however long it takes', () => {
    limitTurns();
    for (let i = 0; i < 100; i += 1) {
      countStep();
      nowMs += 10;
    }
    expect(kill).not.toHaveBeenCalled();
  });

  test.each([
    ['what clients sent', countReadStep, 1],
    ['anything else', countStep, 0],
  ])('CFG-69: a turn that took long because of %s puts clients off: %#', (_, count, times) => {
    limitTurns();
    const listener = jest.fn();
    const stop = onTooMuchRead(listener);
    for (let ms = 0; ms < 100; ms += 10) {
      for (let step = 0; step < 128; step += 1) count();
      nowMs += 10;
    }
    expect(kill).toHaveBeenCalledTimes(1);
    expect(listener).toHaveBeenCalledTimes(times);
    stop();
  });

  test('CFG-69: in the turns that follow they are put off sooner', async () => {
    limitTurns();
    const listener = jest.fn();
    const stop = onTooMuchRead(listener);
    readFor(51);
    await turn();
    readFor(6);
    expect(listener).toHaveBeenCalledTimes(2);
    await turn();
    readFor(1);
    await turn();
    readFor(49);
    expect(listener).toHaveBeenCalledTimes(2);
    stop();
  });
});
