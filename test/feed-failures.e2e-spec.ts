import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import {
  type FeedBehaviour,
  HUGE_BYTES,
  type NamedFeedBehaviour,
} from '../src/simulator/faults/feed-misbehaviour.js';
import { utilizationRow } from '../src/simulator/feeds/simulated-utilization.js';
import { ask } from './support/ask.js';
import { chosenBy, linesAbout, refreshed, RESTLESS, type WatchedFeed } from './support/feed-watch.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const FEEDS: readonly WatchedFeed[] = ['models', 'utilization'];

// As long as both feeds are known, the big model is chosen. Without the utilization it would be the small one, first
// in the list; without the list, the unlisted one, which has the most free capacity and ends in -TEE.
const BIG = 'a/big';
const SMALL = 'b/small-TEE';
const UNLISTED = 'c/unlisted-TEE';
const GOOD_MODELS = [SMALL, BIG];
const GOOD_ROWS = [row(SMALL, 2), row(BIG, 20), row(UNLISTED, 50)];

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(() => {
  chutes.reset();
  chutes.models = GOOD_MODELS;
  chutes.utilization = GOOD_ROWS;
});

afterAll(async () => {
  await chutes.close();
});

beforeAll(async () => {
  chutes = await ChutesSimulator.start();
});

function row(name: string, instances: number): unknown {
  return utilizationRow(name, {
    active_instance_count: instances,
    utilization_5m: 0.1,
    rate_limit_ratio_5m: 0,
  });
}

/** Lets a feed turn bad for a while and come back with something new; tells what clients see of that. */
async function course(feed: WatchedFeed, behaviour: FeedBehaviour | NamedFeedBehaviour): Promise<unknown> {
  await eventually(async () => (await chosenBy(router)) === BIG);
  chutes.feed(feed, behaviour);
  await refreshed(router, feed, ['error', 'empty'], 2);
  const chosenMeanwhile = await chosenBy(router);
  const { text } = await ask(router, '/v1/models');
  const { data } = JSON.parse(text) as { data: { id: string }[] };

  chutes.models = feed === 'models' ? [SMALL] : GOOD_MODELS;
  chutes.utilization = feed === 'models' ? GOOD_ROWS : [row(SMALL, 20), row(BIG, 2)];
  chutes.feed(feed, 'normal');
  await eventually(async () => (await chosenBy(router)) === SMALL);
  return { chosenMeanwhile, listedMeanwhile: data.map(({ id }) => id).slice(-2) };
}

const AS_BEFORE = { chosenMeanwhile: BIG, listedMeanwhile: GOOD_MODELS };

describe.each(FEEDS)('%s', (feed) => {
  describe('with time enough', () => {
    beforeAll(async () => {
      router = await startRouter(chutes, RESTLESS);
    });

    afterAll(async () => {
      await router.close();
    });

    it.each(['error', 'reset', 'cut', 'redirect'] as const)(
      'CAT-5, CAT-6: serves on from the last good one: %s',
      async (behaviour) => {
        expect(await course(feed, behaviour)).toEqual(AS_BEFORE);
        expect(chutes.count('/redirected')).toBe(0);
      },
    );

    it.each(['html', 'truncated', 'no-body', 'wrong-root'] as const)(
      'CAT-5, CAT-9: serves on from the last good one: %s',
      async (behaviour) => {
        expect(await course(feed, behaviour)).toEqual(AS_BEFORE);
      },
    );

    it.each([
      ['an empty list', 'empty'],
      ['a list of unusable rows', { kind: 'body', body: feed === 'models' ? { data: [{}] } : [{}] }],
    ] as [string, FeedBehaviour | 'empty'][])(
      'CAT-5, CAT-10: serves on from the last good one: %s',
      async (_what, behaviour) => {
        expect(await course(feed, behaviour)).toEqual(AS_BEFORE);
      },
    );

    it('CAT-5, CAT-8: serves on from the last good one: 50 MB', async () => {
      expect(await course(feed, 'huge')).toEqual(AS_BEFORE);
      expect(linesAbout(router, feed)).toContainEqual(
        expect.objectContaining({ reason: expect.stringMatching(/^larger than/) }),
      );
    });

    it('CAT-5, CAT-8: serves on from the last good one: 50 MB in a few KB of gzip', async () => {
      const bomb = gzipSync(JSON.stringify(feed === 'models' ? { data: [padded()] } : [padded()]));
      expect(bomb.length).toBeLessThan(100_000);
      expect(
        await course(feed, { kind: 'body', body: bomb, headers: { 'content-encoding': 'gzip' } }),
      ).toEqual(AS_BEFORE);
    });
  });

  describe('with little time', () => {
    beforeEach(async () => {
      router = await startRouter(chutes, { ...RESTLESS, CONTROL_PLANE_TIMEOUT_MS: '200' });
    });

    afterEach(async () => {
      await router.close();
    });

    it.each(['silent', 'stall'] as const)(
      'CAT-5, CAT-7: serves on from the last good one: %s',
      async (behaviour) => {
        expect(await course(feed, behaviour)).toEqual(AS_BEFORE);
      },
    );
  });
});

function padded(): unknown {
  return { id: UNLISTED, name: UNLISTED, active_instance_count: 1, padding: 'x'.repeat(HUGE_BYTES) };
}
