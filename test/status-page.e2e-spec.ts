import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { keyedHash } from '../src/sticky/keyed-hash.js';
import { clientKey } from '../src/sticky/client-key.js';
import { ask, complete, errorOf } from './support/ask.js';
import { canariesIn, CANARY, CANARY_HEADERS } from './support/canaries.js';
import { NEVER } from './support/feed-watch.js';
import { eventsOf, listAt } from './support/status.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const SECRET = 'a secret of the test';
const STRANGER = '<img src=x onerror=alert(1)>/model';
const PAGE_FILES = [
  'page.css',
  'page.js',
  'decisions.js',
  'dom.js',
  'format.js',
  'story.js',
  'table.js',
  'words.js',
];
const PATHS = [
  '/autopilot',
  '/autopilot/models',
  '/autopilot/decisions',
  '/autopilot/events',
  '/autopilot/page.js',
];

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = [
    {
      id: 'a/fast',
      input_modalities: ['text', 'image'],
      supported_features: ['tools'],
      context_length: 8_192,
      pricing: { prompt: 1, completion: 3 },
    },
    { id: 'b/busy', context_length: 4_096, confidential_compute: true },
    { id: 'c/idle' },
    { id: STRANGER },
  ];
  chutes.utilization = [
    { name: 'a/fast', active_instance_count: 4, utilization_current: 0.25, utilization_5m: 0.25 },
    { name: 'b/busy', active_instance_count: 2, utilization_current: 1, utilization_5m: 0.5 },
    { name: 'c/idle', active_instance_count: 0 },
  ];
  router = await startRouter(chutes, {
    AUTOPILOT_ALIASES: `{"${ALIAS}": {}, "cheap": {"sort": "price", "models": ["a/*", "c/*"]}}`,
    MODELS_REFRESH_MS: NEVER,
    UTILIZATION_REFRESH_MS: NEVER,
    STICKY_HASH_SECRET: SECRET,
    CORS_ALLOWED_ORIGINS: '*',
  });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

describe('the page', () => {
  test('STA-1: is HTML, and all that it is made of comes from here, with a tag that stands for its bytes', async () => {
    const page = await ask(router, '/autopilot');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const named = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link);
    expect(named).toEqual(['data:,', 'autopilot/page.css', 'autopilot/page.js']);
    for (const path of ['/autopilot', ...PAGE_FILES.map((name) => `/autopilot/${name}`)]) {
      const { status, headers, text } = await ask(router, path);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
      const etag = headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[^"]+"$/);
      const again = await ask(router, path, { headers: { 'if-none-match': etag } });
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
    }
  });

  test('STA-1: imports no file that is not served', async () => {
    const imports = PAGE_FILES.filter((name) => name.endsWith('.js')).flatMap((name) =>
      [...readFileSync(`src/status/page/${name}`, 'utf8').matchAll(/from '\.\/([^']+)'/g)].map(
        ([, file]) => file,
      ),
    );
    expect(imports.length).toBeGreaterThan(5);
    expect(imports.filter((file) => !PAGE_FILES.includes(file ?? ''))).toEqual([]);
  });

  test('STA-2: allows nothing but its own scripts, styles and data, in no frame', async () => {
    const { headers, text } = await ask(router, '/autopilot');
    expect(headers.get('content-security-policy')?.split('; ').toSorted()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      'img-src data:',
      "script-src 'self'",
      "style-src 'self'",
    ]);
    expect(text).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
    for (const path of PATHS.filter((each) => !each.endsWith('events'))) {
      expect((await ask(router, path)).headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

describe('the routes', () => {
  test('STA-3: are for reading alone, and for no other origin', async () => {
    for (const path of PATHS) {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const answer = await ask(router, path, { method });
        expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
      }
      const { status, headers, text } = await ask(router, path, {
        method: 'HEAD',
        headers: { origin: 'https://elsewhere.example' },
      });
      expect([path, status, text]).toEqual([path, 200, '']);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    for (const path of [
      '/autopilot/',
      '/autopilot/nothing',
      '/autopilot/page.html/x',
      '/autopilot/..%2fpage.js',
    ]) {
      expect([path, errorOf(await ask(router, path)).code]).toEqual([path, 'not_found']);
    }
  });

  test.each([{}, { ADMIN_LISTEN_ADDR: '127.0.0.1:0' }])(
    'STA-4: are not there with STATUS_PAGE=false (%j)',
    async (env) => {
      const own = await startRouter(chutes, { STATUS_PAGE: 'false', ...env });
      try {
        for (const base of new Set([own.url, own.insideUrl])) {
          for (const path of [...PATHS, '/%61utopilot', '/autopilot?a=1']) {
            for (const method of ['GET', 'HEAD', 'POST']) {
              expect([path, (await fetch(base + path, { method })).status]).toEqual([path, 404]);
            }
          }
        }
      } finally {
        await own.close();
      }
    },
  );

  test('STA-4: are at the admin port alone, where there is one', async () => {
    const own = await startRouter(chutes, { ADMIN_LISTEN_ADDR: '127.0.0.1:0' });
    try {
      for (const path of PATHS) {
        expect([path, (await fetch(own.insideUrl + path, { method: 'HEAD' })).status]).toEqual([path, 200]);
        expect([path, (await fetch(own.url + path)).status]).toEqual([path, 404]);
      }
    } finally {
      await own.close();
    }
  });
});

describe('/autopilot/models', () => {
  test('STA-5: has every model of the catalog, the first alias’s in its order and then the others, with why', async () => {
    const { object, alias, sort, ready, reason, feeds, data } = await listAt(router, 'models');
    expect({ object, alias, sort, ready, reason }).toEqual({
      object: 'list',
      alias: ALIAS,
      sort: 'capacity',
      ready: true,
      reason: null,
    });
    expect(feeds).toEqual({
      models: expect.any(Number),
      utilization: expect.any(Number),
      stats: null,
    });
    expect(data.map(({ id, place, why }) => [id, place, why])).toEqual([
      ['a/fast', 1, 'ranked'],
      ['b/busy', 2, 'ranked'],
      ['c/idle', null, 'no_instance'],
      [STRANGER, null, 'no_instance'],
    ]);
    expect(data[0]).toMatchObject({
      score: 3,
      instances: 4,
      utilization: 0.25,
      context_length: 8_192,
      supported_features: ['tools'],
      input_modalities: ['text', 'image'],
      confidential_compute: null,
      pricing: { prompt: 1, completion: 3 },
      price: 1.5,
      row: { active_instance_count: 4, utilization_5m: 0.25, rate_limit_ratio_5m: null },
      history: { utilization: [0.25], ttft_s: [] },
    });
    expect(data[3]).toMatchObject({ score: null, row: null, pricing: null, history: { utilization: [] } });
  });

  test('STA-6: shows the order of another alias, and of its variants, on request', async () => {
    const places = async (query: string) =>
      (await listAt(router, `models?alias=${encodeURIComponent(query)}`)).data.map(
        ({ id, why }) => `${id} ${String(why)}`,
      );
    expect(await places('cheap')).toEqual([
      'a/fast ranked',
      'b/busy not_in_pool',
      'c/idle no_instance',
      `${STRANGER} no_instance`,
    ]);
    expect((await places(`${ALIAS}:tee`))[0]).toBe('b/busy ranked');
    expect(await places('')).toEqual(await places(ALIAS));
    for (const query of ['a/fast', 'nobody', 'a/fast,b/busy', 'x&alias=y']) {
      const path = `/autopilot/models?alias=${query}`;
      expect([query, errorOf(await ask(router, path)).code]).toEqual([query, 'model_not_found']);
    }
    expect(errorOf(await ask(router, `/autopilot/models?alias=${ALIAS}:nonsense`)).code).toBe(
      'unknown_model',
    );
  });

  test('STA-5: says why nobody can be chosen, and what is missing', async () => {
    const upstream = await ChutesSimulator.start();
    upstream.feed('models', 'error');
    upstream.feed('utilization', 'error');
    const own = await startRouter(upstream, {}, { awaitReady: false });
    try {
      const { ready, reason, feeds, data } = await listAt(own, 'models');
      expect({ ready, reason, feeds, data }).toEqual({
        ready: false,
        reason: 'missing_allowlist',
        feeds: { models: null, utilization: null, stats: null },
        data: [],
      });
    } finally {
      await own.close();
      await upstream.close();
    }
  });
});

describe('/autopilot/decisions', () => {
  test('STA-7: has the last requests, newest first, as the log has them', async () => {
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }];
    await complete(router, { model: ALIAS, messages }, { headers: { 'x-request-id': 'the-first' } });
    await complete(
      router,
      { model: 'nobody/knows', messages: [] },
      { headers: { 'x-request-id': 'the-second' } },
    );
    await eventually(() => router.requestLogs.some((line) => line['req_id'] === 'the-second'));
    const { object, data } = await listAt(router, 'decisions');
    expect(object).toBe('list');
    const logged = router.requestLogs.toReversed().slice(0, 2);
    expect(data.slice(0, 2).map(({ id: _id, excluded: _excluded, ...fields }) => fields)).toEqual(
      logged.map(({ level: _level, msg: _msg, ...fields }) => fields),
    );
    expect(data.slice(0, 2).map(({ id }) => id)).toEqual(['the-second', 'the-first']);
    expect(data[1]).toMatchObject({ needs: ['image'], model: 'a/fast', excluded: { no_instance: 2 } });
  });

  test('STA-7: has none of those that the metrics do not count, its own readers among them', async () => {
    const before = (await listAt(router, 'decisions')).data.length;
    for (const path of ['/healthz', '/v1/models', '/autopilot/models', '/nowhere']) await ask(router, path);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await listAt(router, 'decisions')).data).toHaveLength(before);
  });
});

test('STA-12: none of it says what was asked, by whom, or from where', async () => {
  const events = await eventsOf(router);
  const body = { model: ALIAS, user: CANARY.prompt, messages: [{ role: 'user', content: CANARY.prompt }] };
  for (const model of [ALIAS, 'a/fast,b/busy', 'a/fast', CANARY.model]) {
    await complete(
      router,
      { ...body, model },
      { path: `/v1/chat/completions?q=${CANARY.query}`, headers: CANARY_HEADERS },
    );
  }
  await complete(router, `{"model":"${ALIAS}","x":"${CANARY.prompt}`, { headers: CANARY_HEADERS });
  await ask(router, `/chutes/${CANARY.model}/evidence?nonce=${CANARY.query}`, { headers: CANARY_HEADERS });
  await eventually(() => events.named('decision').length >= 5);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const told = await Promise.all(
    PATHS.filter((path) => !path.endsWith('events')).map(async (path) => (await ask(router, path)).text),
  );
  const all = [...told, events.text].join('\n');
  expect(canariesIn(all)).toEqual([]);
  expect(all).not.toContain('127.0.0.1');
  const identity = {
    authorization: CANARY_HEADERS.authorization,
    session: CANARY.session,
    address: () => CANARY.address,
  };
  expect(all).not.toContain(clientKey(keyedHash(SECRET), identity, ALIAS));
  events.close();
});
