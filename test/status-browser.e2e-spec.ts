import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { CatalogService } from '../src/catalog/catalog.service.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete } from './support/ask.js';
import {
  accessibilityProblems,
  describeBrowser,
  startBrowser,
  type TestBrowser,
  type TestPage,
} from './support/browser.js';
import { MAX_WATCHERS } from '../src/status/watchers.socket.js';
import { NEVER, RESTLESS } from './support/feed-watch.js';
import { RawClient } from './support/raw-client.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(120_000);

const ALIAS = 'chutesai/AutoPilot';
/** Feeds that are looked at often, and clients that stay on no model. */
const QUIET = { MODELS_REFRESH_MS: NEVER, UTILIZATION_REFRESH_MS: '100', STICKY_TTL_SECS: '0' };
const HOSTILE = '<img src=x onerror="globalThis.wasRun=1">/x';

const textOf = async (page: Page, selector: string) =>
  (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ');
const idsOf = async (page: Page) =>
  page.locator('#models tr').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-id')));

const until = async (page: Page, selector: string, text: string) =>
  eventually(async () => (await textOf(page, selector)).includes(text));

describeBrowser('the page in a browser', () => {
  let chutes: ChutesSimulator;
  let router: TestRouter;
  let browser: TestBrowser;
  const opened: TestPage[] = [];

  beforeAll(async () => {
    mkdirSync('logs', { recursive: true });
    [browser, chutes] = await Promise.all([startBrowser(), ChutesSimulator.start({ simModels: false })]);
    router = await start();
  });

  afterEach(async () => {
    chutes.behave('*', 'normal');
    await Promise.all(opened.splice(0).map(async ({ page }) => page.close()));
  });

  afterAll(async () => {
    await browser?.close();
    await router?.close();
    await chutes?.close();
  });

  async function start(env: Env = {}): Promise<TestRouter> {
    return startRouter(chutes, { ...QUIET, ...env });
  }

  async function open(options: Parameters<TestBrowser['open']>[1] = {}): Promise<TestPage> {
    const page = await browser.open(`${router.url}/autopilot`, {
      viewport: { width: 1440, height: 900 },
      ...options,
    });
    opened.push(page);
    await page.page.locator('#connection[data-state=live]').waitFor();
    await page.page.locator('#models tr').first().waitFor();
    return page;
  }

  /** The models that run, in the order of the list that the router serves. */
  const someModels = (count: number) =>
    (chutes.utilization as readonly { name: string; active_instance_count: number }[])
      .filter(({ name, active_instance_count: active }) => active > 0 && name.includes('/'))
      .map(({ name }) => name)
      .slice(0, count);

  async function ask(model: string, id: string): Promise<void> {
    await complete(router, { model, messages: [] }, { headers: { 'x-request-id': id } });
  }

  test('STA-13: shows the models in their order with what is known of them, and without an error', async () => {
    const { page, errors } = await open();
    const response = await fetch(`${router.url}/autopilot/models`);
    const { data } = (await response.json()) as { data: readonly { id: string }[] };
    expect((await idsOf(page)).length).toBe(data.length);
    expect(await textOf(page, '#models tr')).toMatch(/^1 \S+\/\S+ .*\d+ % .*\$\d/);
    expect(await textOf(page, '#facts')).toMatch(
      /Router ready Utilization (?:just now|\d+ s ago).* Model list \d+ s ago|Model list just now/,
    );
    const [bar] = await page
      .locator('#models tr .fill')
      .evaluateAll((bars) => bars.map((each) => each.getAttribute('width')));
    expect(bar).toBe('100.0');
    expect(errors).toEqual([]);
  });

  test('STA-13: follows the feeds', async () => {
    const { page } = await open();
    const before = await idsOf(page);
    chutes.advance(100);
    await eventually(async () => String(await idsOf(page)) !== String(before));
    expect(new Set(await idsOf(page))).toEqual(new Set(before));
  });

  test('STA-13: follows a failover as it happens, and tells its story', async () => {
    const { page, errors } = await open();
    const [down = '', up = ''] = someModels(2);
    chutes.behave(down, 'unavailable');
    await ask(`${down},${up}`, 'a-failover');
    await until(page, '#decisions li', up);
    expect(await textOf(page, '#decisions li')).toContain('list · 2 attempts · whole');
    const story = await textOf(page, '#story');
    expect(story).toContain('request a-failover');
    expect(story).toContain("Chosen from 2 models, in the client's order.");
    expect(story).toContain('Attempt 1 Failed: it is busy (503).');
    expect(story).toContain(`Answered ${up} with 200, first byte after`);
    await page.locator(`#models tr[aria-current][data-id="${up}"]`).waitFor();
    expect(errors).toEqual([]);
  });

  test('STA-19: shows a cooldown, counts it down, and when it is over', async () => {
    const own = await startRouter(chutes, { ...QUIET, COOLDOWN_FAILURES: '3', COOLDOWN_MS: '8000' });
    const { page, errors } = await browser.open(`${own.url}/autopilot`);
    await page.locator('#models tr').first().waitFor();
    const [down = ''] = someModels(1);
    chutes.behave(down, 'unavailable');
    for (let n = 0; n < 3; n += 1) await complete(own, { model: down, messages: [] });
    const row = `#models tr[data-id="${down}"]`;
    await until(page, row, 'cooling down');
    expect(await accessibilityProblems(page)).toEqual([]);
    const left = async () => Number(/cooling down, (\d+) s/.exec(await textOf(page, row))?.[1]);
    const before = await left();
    await eventually(async () => (await left()) < before);
    const places = await page
      .locator('#models tr.in')
      .evaluateAll((rows) => rows.map((each) => each.getAttribute('data-id')));
    expect(places.at(-1)).toBe(down);
    await page.screenshot({ path: 'logs/status-page-cooldown.png' });
    chutes.behave(down, 'normal');
    await eventually(async () => !(await textOf(page, row)).includes('cooling down'), 40_000);
    expect(errors).toEqual([]);
    await page.close();
    await own.close();
  });

  test('STA-14: says that the connection is lost and since when, and is back after a restart of the router', async () => {
    const { page } = await open();
    await router.close();
    await page.locator('#connection[data-state=lost]').waitFor();
    expect(await textOf(page, '#lost')).toMatch(
      /^No connection to the router since \d\d:\d\d:\d\d\. What you see is as it was then\. (?:Next try in \d+ s|Trying now)\.$/,
    );
    expect((await idsOf(page)).length).toBeGreaterThan(10);
    expect(await textOf(page, '#readiness')).toBe('unknown');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.screenshot({ path: 'logs/status-page-lost.png' });

    router = await start({ LISTEN_ADDR: `127.0.0.1:${new URL(router.url).port}` });
    await page.locator('#connection[data-state=live]').waitFor({ timeout: 60_000 });
    expect(await page.locator('#lost').isHidden()).toBe(true);
    // What the new process knows, and not what the old one did.
    expect(await page.locator('#decisions li').count()).toBe(0);
    expect(await page.locator('#story').isHidden()).toBe(true);
    await ask(ALIAS, 'after-the-restart');
    await until(page, '#story', 'after-the-restart');
  });

  test('STA-20: goes on with another alias where a restart has taken the one that was shown', async () => {
    const own = await start({ AUTOPILOT_ALIASES: '{"auto": {}, "cheap": {"sort": "price"}}' });
    const { page, errors } = await browser.open(`${own.url}/autopilot`);
    await page.locator('#models tr').first().waitFor();
    await page.selectOption('#alias', 'cheap');
    await own.close();
    await page.locator('#connection[data-state=lost]').waitFor();
    const again = await start({
      LISTEN_ADDR: `127.0.0.1:${new URL(own.url).port}`,
      AUTOPILOT_ALIASES: '{"auto": {}, "quick": {"sort": "latency"}}',
    });
    await page.locator('#connection[data-state=live]').waitFor({ timeout: 60_000 });
    expect(await page.locator('#alias option').allTextContents()).toEqual(['auto', 'quick']);
    expect(await page.locator('#alias').inputValue()).toBe('auto');
    expect(errors.filter((error) => !error.startsWith('Failed to load resource'))).toEqual([]);
    await page.close();
    await again.close();
  });

  test('STA-21: is not lost where too many watch, but asks every few seconds', async () => {
    const watch = 'GET /autopilot/events HTTP/1.1\r\nHost: x\r\n\r\n';
    const own = await start();
    const watching = await Promise.all(
      Array.from({ length: MAX_WATCHERS }, async () => RawClient.open(own.port, watch)),
    );
    await Promise.all(watching.map(async (client) => client.receives('text/event-stream')));
    const { page } = await browser.open(`${own.url}/autopilot`);
    await page.locator('#connection[data-state=polling]').waitFor();
    expect(await page.locator('#lost').isHidden()).toBe(true);
    await complete(own, { model: ALIAS, messages: [] }, { headers: { 'x-request-id': 'polled' } });
    await until(page, '#story', 'polled');
    expect(await accessibilityProblems(page)).toEqual([]);
    for (const client of watching) client.close();
    await page.locator('#connection[data-state=live]').waitFor({ timeout: 60_000 });
    await page.close();
    await own.close();
  });

  test('STA-22: says what is missing before there is anything to show, and where a filter leaves nothing', async () => {
    const upstream = await ChutesSimulator.start();
    upstream.feed('models', 'error');
    upstream.feed('utilization', 'error');
    const own = await startRouter(upstream, {}, { awaitReady: false });
    const empty = await browser.open(`${own.url}/autopilot`);
    await until(empty.page, '#models-empty', 'The router has no model list yet, or an empty one.');
    expect(await textOf(empty.page, '#story-empty')).toContain('Nothing has been asked yet.');
    expect(await textOf(empty.page, '#readiness')).toBe('not ready: no model list yet');
    expect(await accessibilityProblems(empty.page)).toEqual([]);
    await empty.page.close();
    await own.close();
    await upstream.close();

    const { page } = await open();
    await ask(ALIAS, 'one');
    await until(page, '#story', 'one');
    await page.fill('#filter', 'no such name');
    await until(page, '#models-empty', 'No model of this name.');
    expect(await textOf(page, '#decisions-empty')).toBe('None of these went to a model of this name.');
    expect(await page.locator('#story').isHidden()).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test.each([400, 700, 961, 1_200, 1_361, 1_440])(
    'STA-23: has room for long names, and for every state of a model, at %i px',
    async (width) => {
      const upstream = await ChutesSimulator.start({ simModels: false });
      const long = `an-owner-with-a-long-name/${'ALongModelName'.repeat(12)}`;
      upstream.models = [
        { id: long, confidential_compute: true, pricing: { prompt: 100, completion: 1_000 } },
        { id: 'a/second' },
        { id: 'b/third' },
      ];
      upstream.utilization = [long, 'a/second'].map((name) => ({ name, active_instance_count: 900 }));
      const alias = `an-alias-${'of-a-long-name-'.repeat(8)}`;
      const own = await startRouter(upstream, {
        ...QUIET,
        COOLDOWN_FAILURES: '1',
        COOLDOWN_MS: '600000',
        AUTOPILOT_ALIASES: JSON.stringify({ [alias]: { max_price: { prompt: 50 } }, all: {} }),
      });
      upstream.behave('a/second', 'unavailable');
      await complete(own, { model: 'a/second', messages: [] });
      await complete(own, { model: long, messages: [] });
      const { page } = await browser.open(`${own.url}/autopilot`, { viewport: { width, height: 900 } });
      for (const shown of [alias, 'all']) {
        await page.selectOption('#alias', shown);
        await until(page, '#models tr', shown === alias ? 'price above the limit' : long);
        await page.locator('#decisions li').first().waitFor();
        // Neither does the page go beyond its window, nor anything in it beyond its panel.
        expect(
          await page.evaluate<readonly number[]>(
            `[document.documentElement, ...document.querySelectorAll('section')].map((each) => each.scrollWidth - each.clientWidth)`,
          ),
        ).toEqual([0, 0, 0]);
      }
      await page.close();
      await own.close();
      await upstream.close();
    },
  );

  test('STA-15: can be used with the keyboard alone', async () => {
    const { page } = await open();
    const [one = '', other = ''] = someModels(2);
    for (const [model, id] of [
      [one, 'k-1'],
      [other, 'k-2'],
      [one, 'k-3'],
    ] as const) {
      await ask(model, id);
      await until(page, '#story', id);
    }
    await page.keyboard.press('/');
    await page.keyboard.type(other);
    expect(await page.locator('#models tr').count()).toBe(1);
    expect(await page.locator('#decisions li').count()).toBeGreaterThan(0);
    await until(page, '#story', 'k-2');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('Delete');
    for (let n = 0; n < 10; n += 1) {
      if (await page.evaluate<boolean>("document.activeElement.closest('#decisions') !== null")) break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await until(page, '#story', 'k-3');
    await page.keyboard.press('ArrowDown');
    await until(page, '#story', 'k-2');
    await ask(other, 'k-4');
    await until(page, '#decisions li', other);
    // Who reads a story goes on reading it.
    expect(await textOf(page, '#story')).toContain('k-2');
    await page.keyboard.press('Escape');
    await until(page, '#story', 'k-4');
  });

  test.each([
    ['in light', { colorScheme: 'light' }],
    ['in dark', { colorScheme: 'dark' }],
    ['at 400 px', { colorScheme: 'light', viewport: { width: 400, height: 800 } }],
    ['at 400 px in dark', { colorScheme: 'dark', viewport: { width: 400, height: 800 } }],
  ] as const)('STA-15: is accessible, and fits, %s', async (name, options) => {
    const [down = '', up = ''] = someModels(2);
    const { page, errors } = await open(options);
    chutes.behave(down, 'unavailable');
    const id = name.replaceAll(' ', '-');
    await ask(`${down},${up}`, id);
    await until(page, '#story', id);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(
      await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
    ).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `logs/status-page-${id}.png` });
    expect(errors).toEqual([]);
  });

  test('STA-17: draws the last hour', async () => {
    const own = await startRouter(chutes, RESTLESS);
    const catalog = own.app.get(CatalogService);
    // An hour of which a feed a minute is seen, in a few seconds.
    const now = performance.now.bind(performance);
    let passedMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
    for (let minute = 0; minute < 60; minute += 1) {
      const before = catalog.utilization.last?.value;
      passedMs += 60_000;
      chutes.advance();
      await eventually(() => catalog.utilization.last?.value !== before);
    }
    const [down = '', up = ''] = someModels(2);
    chutes.behave(down, 'unavailable');
    for (const model of [ALIAS, `${ALIAS}:price`, down, `${down},${up}`])
      await complete(own, { model, messages: [] });

    const { page } = await browser.open(`${own.url}/autopilot`, { viewport: { width: 1440, height: 900 } });
    await until(page, '#decisions li', up);
    const points = await page
      .locator('#models .spark.utilization path:last-child')
      .evaluateAll((lines) => lines.map((line) => line.getAttribute('d')?.split('L').length ?? 0));
    // A minute of the real clock may begin meanwhile, and makes a gap.
    expect(Math.max(...points)).toBeGreaterThan(55);
    // That of the README.
    await page.screenshot({ path: 'logs/status-page.png' });
    await page.close();
    clock.mockRestore();
    await own.close();
  });

  test('STA-16: shows names from outside as text, whatever they are', async () => {
    const upstream = await ChutesSimulator.start({ simModels: false });
    upstream.models = [{ id: HOSTILE, supported_features: [HOSTILE] }];
    upstream.utilization = [{ name: HOSTILE, active_instance_count: 1 }];
    const own = await startRouter(upstream, {
      AUTOPILOT_ALIASES: JSON.stringify({ [HOSTILE.replace(',', '')]: {} }),
    });
    const { page, errors } = await browser.open(`${own.url}/autopilot`);
    await complete(own, { model: HOSTILE, messages: [] });
    await until(page, '#decisions li', HOSTILE);
    expect(await textOf(page, '#models tr .name')).toContain(HOSTILE);
    expect(
      await page.evaluate<boolean>("'wasRun' in globalThis || document.querySelector('img') !== null"),
    ).toBe(false);
    expect(errors).toEqual([]);
    await page.close();
    await own.close();
    await upstream.close();
  });
});
