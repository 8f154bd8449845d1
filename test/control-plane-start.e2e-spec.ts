import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { FeedBehaviour, NamedFeedBehaviour } from '../src/simulator/faults/feed-misbehaviour.js';
import { chosenBy, type WatchedFeed } from './support/feed-watch.js';
import { quietPort } from './support/ports.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

/** From the control plane's being there to the router's being ready. */
const WITHIN_MS = 5_000;
const FEEDS: readonly WatchedFeed[] = ['models', 'utilization'];
const PATHS = { models: '/v1/models', utilization: '/chutes/utilization' } as const;
const GARBAGE = Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

let chutes: ChutesSimulator | undefined;
let router: TestRouter | undefined;

afterEach(async () => {
  await router?.close();
  await chutes?.close();
  router = undefined;
  chutes = undefined;
});

async function isReady({ url }: TestRouter): Promise<boolean> {
  return (await fetch(`${url}/readyz`)).ok;
}

describe('a router with the default intervals', () => {
  it('CAT-19: is ready within 5 s of its control plane, though that was away for long at the start', async () => {
    const port = await quietPort();
    const own = await startRouter(`http://127.0.0.1:${port}`, {}, { awaitReady: false });
    router = own;
    // Long enough for waits of 8 s and more, if they grew on.
    await sleep(13_000);
    expect(await isReady(own)).toBe(false);
    chutes = await ChutesSimulator.start({ port });
    await eventually(async () => isReady(own), WITHIN_MS);
    expect((await fetch(`${own.url}/v1/models`)).status).toBe(200);
    expect(await chosenBy(own)).not.toBeNull();
  });

  it.each<[how: string, FeedBehaviour | NamedFeedBehaviour]>([
    ['resets', 'reset'],
    ['answers 429', { kind: 'body', status: 429, body: { detail: 'Too many requests' } }],
    ['answers with a page', 'html'],
    ['has nothing yet', 'empty'],
    ['sends garbage for gzip', { kind: 'body', body: GARBAGE, headers: { 'content-encoding': 'gzip' } }],
  ])('CAT-18, CAT-19: is ready within 5 s of a control plane that first %s', async (_how, behaviour) => {
    const first = await ChutesSimulator.start();
    chutes = first;
    for (const feed of FEEDS) first.feed(feed, behaviour);
    const own = await startRouter(first, {}, { awaitReady: false });
    router = own;
    await eventually(() => FEEDS.every((feed) => first.count(PATHS[feed]) >= 2));
    for (const feed of FEEDS) first.feed(feed, 'normal');
    await eventually(async () => isReady(own), WITHIN_MS);
    // One line when it turned bad, one when it was good again.
    expect(own.logs.filter(({ feed }) => feed === 'models').map(({ level }) => level)).toEqual([
      'warn',
      'info',
    ]);
  });

  it('CAT-19: is ready soon after first fetches that never got an answer', async () => {
    const first = await ChutesSimulator.start();
    chutes = first;
    for (const feed of FEEDS) first.feed(feed, 'silent');
    const own = await startRouter(first, {}, { awaitReady: false });
    router = own;
    for (const feed of FEEDS) await first.nextRequest(PATHS[feed]);
    for (const feed of FEEDS) first.feed(feed, 'normal');
    // The fetch has its time, CONTROL_PLANE_TIMEOUT_MS.
    await eventually(async () => isReady(own), 10_000 + WITHIN_MS);
    expect(FEEDS.map((feed) => first.count(PATHS[feed]))).toEqual([2, 2]);
  });
});
