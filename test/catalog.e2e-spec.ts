import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Exchange } from '../src/simulator/exchange.js';
import { utilizationRow } from '../src/simulator/feeds/simulated-utilization.js';
import { RoutingService } from '../src/routing/routing.service.js';
import { ask, complete } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { chosenBy, linesAbout, NEVER, refreshed, RESTLESS, type WatchedFeed } from './support/feed-watch.js';
import { metricsOf } from './support/metrics.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const PATHS = { models: '/v1/models', utilization: '/chutes/utilization' } as const;
const AGES = { models: 'ready_allowlist_age_ms', utilization: 'ready_snapshot_age_ms' } as const;
const INTERVALS = { models: 'MODELS_REFRESH_MS', utilization: 'UTILIZATION_REFRESH_MS' } as const;
const FEEDS: readonly WatchedFeed[] = ['models', 'utilization'];

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await chutesWith(['a/one', 'b/two']);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await router?.close();
  router = undefined;
  await chutes.close();
});

async function start(env: Env = {}, { awaitReady = true } = {}): Promise<TestRouter> {
  router = await startRouter(chutes, env, { awaitReady });
  return router;
}

function other(feed: WatchedFeed): WatchedFeed {
  return feed === 'models' ? 'utilization' : 'models';
}

async function ageOf(own: TestRouter, feed: WatchedFeed): Promise<number> {
  return (await metricsOf(own)).value(AGES[feed]);
}

function row(name: string, instances: number): unknown {
  return utilizationRow(name, { active_instance_count: instances, utilization_5m: 0.1 });
}

describe('when the feeds are fetched', () => {
  it('CAT-3: both at once at the start, neither waiting for the other', async () => {
    chutes.feed('models', 'silent');
    chutes.feed('utilization', 'silent');
    await start({ MODELS_REFRESH_MS: NEVER, UTILIZATION_REFRESH_MS: NEVER }, { awaitReady: false });
    const [models, utilization] = await Promise.all([
      chutes.nextRequest(PATHS.models),
      chutes.nextRequest(PATHS.utilization),
    ]);
    expect([models.ending, utilization.ending]).toEqual(['open', 'open']);
  });

  it.each(FEEDS)('CAT-1, CAT-2: %s on its own schedule', async (feed) => {
    const own = await start({ [INTERVALS[feed]]: '20', [INTERVALS[other(feed)]]: NEVER });
    await refreshed(own, feed, ['ok'], 5);
    expect(chutes.count(PATHS[other(feed)])).toBe(1);
  });

  it.each(FEEDS)('CAT-4: %s not again as long as the fetch before lasts', async (feed) => {
    const own = await start(RESTLESS);
    const held = Promise.withResolvers<Exchange>();
    const release = Promise.withResolvers<void>();
    chutes.feed(feed, {
      kind: 'scripted',
      script: async (exchange) => {
        held.resolve(exchange);
        await release.promise;
        await exchange.head(500);
      },
    });
    await held.promise;
    const before = chutes.count(PATHS[feed]);
    await refreshed(own, other(feed), ['ok'], 5);
    expect(chutes.count(PATHS[feed])).toBe(before);
    release.resolve();
    await refreshed(own, feed, ['error'], 2);
    expect(chutes.count(PATHS[feed])).toBeGreaterThan(before);
  });
});

function loaded(feed: WatchedFeed): unknown {
  return expect.objectContaining({ level: 'info', feed });
}

function failed(feed: WatchedFeed): unknown {
  return expect.objectContaining({ level: 'warn', feed, reason: 'status 500' });
}

describe('what the log says', () => {
  it.each(FEEDS)('CAT-11: of %s one line when it turns bad, one when it is good again', async (feed) => {
    const own = await start(RESTLESS);
    expect(linesAbout(own, feed)).toEqual([loaded(feed)]);

    chutes.feed(feed, 'error');
    await refreshed(own, feed, ['error'], 3);
    chutes.feed(feed, 'html');
    await refreshed(own, feed, ['error'], 3);
    expect(linesAbout(own, feed)).toEqual([loaded(feed), failed(feed)]);

    chutes.feed(feed, 'normal');
    await refreshed(own, feed, ['ok'], 3);
    expect(linesAbout(own, feed)).toEqual([loaded(feed), failed(feed), loaded(feed)]);
    expect(linesAbout(own, other(feed))).toEqual([loaded(other(feed))]);
  });

  it('CAT-11: of feeds that were never good one line each, with the reason', async () => {
    chutes.feed('models', 'empty');
    chutes.feed('utilization', 'redirect');
    const own = await start(RESTLESS, { awaitReady: false });
    await refreshed(own, 'models', ['empty'], 3);
    await refreshed(own, 'utilization', ['error'], 3);
    expect(linesAbout(own, 'models')).toEqual([expect.objectContaining({ level: 'warn', feed: 'models' })]);
    expect(linesAbout(own, 'utilization')).toEqual([
      expect.objectContaining({ level: 'warn', feed: 'utilization', reason: 'status 307' }),
    ]);
  });
});

describe('how old they are', () => {
  it.each(FEEDS)('CAT-15: %s gets younger with every good fetch, though nothing changes', async (feed) => {
    const own = await start(RESTLESS);
    let before = await ageOf(own, feed);
    await eventually(async () => {
      const now = await ageOf(own, feed);
      const isYounger = now < before;
      before = now;
      return isYounger;
    });
    expect(before).toBeGreaterThanOrEqual(0);
  });

  it.each(FEEDS)('CAT-5, CAT-15: %s gets older with every failure', async (feed) => {
    const own = await start(RESTLESS);
    chutes.feed(feed, 'error');
    await refreshed(own, feed, ['error']);
    const ages: number[] = [];
    for (let i = 0; i < 5; i++) {
      ages.push(await ageOf(own, feed));
      await refreshed(own, feed, ['error']);
    }
    expect(ages).toEqual(ages.toSorted((a, b) => a - b));
    expect(ages.at(-1)).toBeGreaterThan(ages[0] ?? 0);
  });

  it('CAT-15: by a clock that nobody sets', async () => {
    const own = await start();
    const dayMs = 86_400_000;
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + dayMs);
    expect(await ageOf(own, 'models')).toBeLessThan(dayMs / 2);
    jest.spyOn(Date, 'now').mockReturnValue(now - dayMs);
    expect(await ageOf(own, 'models')).toBeGreaterThanOrEqual(0);
    expect((await ask(own, '/readyz')).status).toBe(200);
  });
});

describe('what is taken of them', () => {
  it('CAT-12, CAT-13: odd rows are left out and counted, the others used', async () => {
    chutes.feed('models', 'odd-rows');
    chutes.feed('utilization', 'odd-rows');
    const own = await start();
    const { text } = await ask(own, '/v1/models');
    const { data } = JSON.parse(text) as { data: { id: string }[] };
    expect(data.slice(2).map(({ id }) => id)).toEqual([
      'odd/text-number',
      'odd/infinite',
      'odd/nulls',
      'a/one',
      'b/two',
    ]);
    const { eligible } = own.app.get(RoutingService).snapshot;
    expect(eligible.map(({ id }) => id).toSorted()).toEqual(['a/one', 'b/two', 'odd/nulls']);
    const metrics = await metricsOf(own);
    expect(metrics.by('feed', 'feed_rows_skipped_total')).toEqual({ models: 8, utilization: 10 });
  });

  it('CAT-16: one snapshot serves until a feed changes, whatever is asked and fetched', async () => {
    const own = await start({ ...RESTLESS, UPSTREAM_RETRYABLE_STATUSES: '503' });
    const routing = own.app.get(RoutingService);
    const before = routing.snapshot;
    chutes.behave('*', 'unavailable');
    for (const model of ['chutesai/AutoPilot', 'a/one,chutesai/AutoPilot', 'b/two', 'nobody/knows']) {
      await complete(own, { model, messages: [] });
    }
    await refreshed(own, 'models', ['ok'], 3);
    await refreshed(own, 'utilization', ['ok'], 3);
    expect(routing.snapshot).toBe(before);

    chutes.behave('*', 'normal');
    const better = utilizationRow('b/two', { active_instance_count: 50, utilization_5m: 0 });
    chutes.utilization = ['a/one', better];
    await eventually(async () => (await chosenBy(own)) === 'b/two');
    expect(routing.snapshot).not.toBe(before);
  });

  it('CAT-16: a request goes on with the order that it began with', async () => {
    const own = await start(RESTLESS);
    chutes.utilization = [row('a/one', 20), row('b/two', 2)];
    await eventually(async () => (await chosenBy(own)) === 'a/one');
    const arrived = Promise.withResolvers<Exchange>();
    const release = Promise.withResolvers<void>();
    const script = async (exchange: Exchange) => {
      arrived.resolve(exchange);
      await release.promise;
      await exchange.head(503);
    };
    chutes.behave('a/one', { kind: 'scripted', script }, { times: 1 });
    const answer = complete(own, { model: 'chutesai/AutoPilot', messages: [] });
    await arrived.promise;
    chutes.models = ['c/three'];
    await eventually(async () => (await ask(own, '/v1/models')).text.includes('c/three'));
    release.resolve();
    const { status, headers } = await answer;
    expect([status, headers.get('x-chutes-autopilot-selected')]).toEqual([404, 'b/two']);
  });
});
