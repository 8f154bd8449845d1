import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { type Answer, ask, type AskOptions, complete } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { RawClient } from './support/raw-client.js';
import { type Env, startRouter, type TestRouter } from './support/router.js';

const APP = 'https://app.example';
const OTHER_APP = 'http://localhost:5173';
const STRANGER = 'https://app.example.evil.test';
const MODEL = 'a/best';
const EXPOSED = [
  'retry-after',
  'x-chutes-autopilot-attempts',
  'x-chutes-autopilot-selected',
  'x-request-id',
  'x-should-retry',
];

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith([MODEL]);
  router = await startRouter(chutes, {
    CORS_ALLOWED_ORIGINS: `${APP}, ${OTHER_APP}`,
    MAX_REQUEST_BYTES: '1000',
  });
});

beforeEach(() => {
  chutes.behave(MODEL, 'normal');
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

/** Runs `act` with a router of other settings in the place of the usual one. */
async function withSettings(env: Env, act: () => Promise<void>): Promise<void> {
  const usual = router;
  router = await startRouter(chutes, env);
  try {
    await act();
  } finally {
    await router.close();
    router = usual;
  }
}

/** Answers of every kind, each with the status that is expected. */
const ANSWERS: readonly (readonly [
  what: string,
  status: number,
  get: (options: AskOptions) => Promise<Answer>,
])[] = [
  ['an answer of the upstream', 200, (options) => complete(router, { model: MODEL }, options)],
  ['a stream', 200, (options) => complete(router, { model: MODEL, stream: true }, options)],
  ['a list of models', 200, (options) => ask(router, '/v1/models', options)],
  ['a HEAD', 200, (options) => ask(router, '/v1/models', { ...options, method: 'HEAD' })],
  ['an error of the upstream', 429, (options) => failing('rate-limited', options)],
  ['a failure of the upstream', 502, (options) => failing('reset', options)],
  ['a body that is no JSON', 400, (options) => complete(router, '{', options)],
  ['a body that is too large', 413, (options) => complete(router, 'x'.repeat(1001), options)],
  ['an unknown path', 404, (options) => ask(router, '/v1/nowhere', options)],
  ['a wrong method', 405, (options) => ask(router, '/v1/models', { ...options, method: 'DELETE' })],
  ['a path that cannot be decoded', 400, (options) => ask(router, '/v1/models/%zz', options)],
  ['a path that is written as a whole URL', 200, absolute],
  ['an unknown model', 404, (options) => ask(router, '/v1/models/none', options)],
  ['evidence that is refused', 400, (options) => ask(router, '/chutes/x/evidence', options)],
];

async function failing(kind: 'rate-limited' | 'reset', options: AskOptions): Promise<Answer> {
  chutes.behave(MODEL, kind);
  return complete(router, { model: MODEL }, options);
}

async function absolute({ headers }: AskOptions): Promise<Answer> {
  const lines = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `GET ${router.url}/v1/models HTTP/1.1\r\nHost: router.test\r\n${lines.join('')}\r\n`;
  const client = await RawClient.open(router.port, head);
  const { status, rawHeaders, body } = await client.response();
  client.close();
  const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : []));
  return { status, headers: new Headers(pairs as [string, string][]), bytes: body, text: body.toString() };
}

/** The CORS headers of an answer. */
function corsOf({ headers }: Answer): Readonly<Record<string, string>> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));
}

function listIn(header: string | null): string[] {
  return (header ?? '')
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .toSorted();
}

async function preflight(
  path: string,
  headers: Readonly<Record<string, string>>,
  origin = APP,
): Promise<Answer> {
  return ask(router, path, { method: 'OPTIONS', headers: { origin, ...headers } });
}

const WANTS_POST = { 'access-control-request-method': 'POST' };

describe('an allowed origin', () => {
  test.each(ANSWERS)(
    'HDR-20, HDR-23: is named on %s, with the headers that its scripts may read',
    async (_, status, get) => {
      for (const origin of [APP, OTHER_APP]) {
        const answer = await get({ headers: { origin } });
        expect(answer.status).toBe(status);
        expect(corsOf(answer)).toEqual({
          'access-control-allow-origin': origin,
          'access-control-expose-headers': expect.any(String),
        });
        expect(listIn(answer.headers.get('access-control-expose-headers'))).toEqual(EXPOSED);
        expect(listIn(answer.headers.get('vary'))).toContain('origin');
      }
    },
  );

  test('HDR-20, HDR-24: is named alone, whatever the upstream allows', async () => {
    chutes.behave(MODEL, {
      kind: 'status',
      status: 200,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'x-secret',
      },
      body: '{}',
    });
    const answer = await complete(router, { model: MODEL }, { headers: { origin: APP } });
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': expect.not.stringContaining('x-secret'),
    });
  });

  test.each([['Accept-Encoding'], ['Accept-Encoding, X-Other'], [['Accept', 'X-Other']], ['*']])(
    "HDR-25: the upstream's Vary: %s stays beside the router's",
    async (vary) => {
      chutes.behave(MODEL, { kind: 'status', status: 200, headers: { vary }, body: '{}' });
      const answer = await complete(router, { model: MODEL }, { headers: { origin: APP } });
      expect(listIn(answer.headers.get('vary'))).toEqual(listIn(`${String(vary)},origin`));
    },
  );
});

describe.each([
  ['another origin', STRANGER],
  ['an origin in other letters', APP.toUpperCase()],
  ['an opaque origin', 'null'],
  ['no origin', undefined],
])('%s', (_, origin) => {
  const headers: Record<string, string> = origin === undefined ? {} : { origin };

  test.each(ANSWERS)(
    'HDR-20, HDR-21: gets no permission on %s, and is told that origins differ',
    async (__, status, get) => {
      const answer = await get({ headers });
      expect([answer.status, corsOf(answer)]).toEqual([status, {}]);
      expect(listIn(answer.headers.get('vary'))).toContain('origin');
    },
  );

  test('HDR-21, HDR-26: gets no permission by a preflight', async () => {
    const answer = await ask(router, '/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { ...headers, ...WANTS_POST, 'access-control-request-headers': 'authorization' },
    });
    expect([answer.status, corsOf(answer)]).toEqual([405, {}]);
  });
});

describe('a preflight', () => {
  test.each([
    ['/v1/chat/completions', 'POST'],
    ['/v1/completions', 'POST'],
    ['/v1/models', 'GET, HEAD'],
    ['/v1/models/a%2Fbest', 'GET, HEAD'],
    ['/chutes/a%2Fbest/evidence?nonce=1', 'GET, HEAD'],
  ])('HDR-22, HDR-26: for %s gets its methods and the headers it asks for', async (path, methods) => {
    const before = chutes.count();
    const requested = 'authorization,content-type, X-Stainless-OS';
    const answer = await preflight(path, { ...WANTS_POST, 'access-control-request-headers': requested });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': requested,
      'access-control-max-age': expect.stringMatching(/^\d+$/),
      'access-control-expose-headers': expect.any(String),
    });
    expect(listIn(answer.headers.get('vary'))).toEqual(['access-control-request-headers', 'origin']);
    expect(answer.headers.get('x-request-id')).not.toBeNull();
    expect(chutes.count()).toBe(before);
  });

  test('HDR-22: that asks for no headers is granted none', async () => {
    const answer = await preflight('/v1/chat/completions', WANTS_POST);
    expect(answer.status).toBe(204);
    expect(answer.headers.has('access-control-allow-headers')).toBe(false);
  });

  test.each([
    ['/v1/nowhere', WANTS_POST, 404],
    // Not a preflight: it does not say what it is for.
    ['/v1/chat/completions', {}, 405],
  ])('HDR-20, HDR-26: OPTIONS of %s with %j is answered with %d', async (path, headers, status) => {
    const answer = await preflight(path, headers);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([status, APP]);
    expect(answer.headers.has('access-control-allow-methods')).toBe(false);
  });
});

describe.each([APP, '*'])('what is for the inside, with CORS_ALLOWED_ORIGINS=%s', (allowed) => {
  test.each([
    ['GET', '/metrics', 200],
    ['HEAD', '/metrics', 200],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['POST', '/metrics', 405],
    ['OPTIONS', '/metrics', 405],
    ['GET', '/nowhere', 404],
    ['GET', '/', 404],
    ['GET', '/%zz', 400],
  ])('HDR-28: %s %s has no CORS header', async (method, path, status) => {
    await withSettings({ CORS_ALLOWED_ORIGINS: allowed }, async () => {
      const headers = { origin: APP, 'access-control-request-method': 'GET' };
      const answer = await ask(router, path, { method, headers });
      expect([answer.status, corsOf(answer)]).toEqual([status, {}]);
      expect(listIn(answer.headers.get('vary'))).not.toContain('origin');
    });
  });
});

describe('CORS_ALLOWED_ORIGINS', () => {
  test.each([
    ['app://obsidian.md', 'app://obsidian.md'],
    ['tauri://localhost', 'tauri://localhost'],
    ['capacitor://localhost', 'capacitor://localhost'],
    [
      'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn',
      'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn',
    ],
    ['vscode-webview://0ue3kpgcjh0hjkqf', 'vscode-webview://0ue3kpgcjh0hjkqf'],
    ['https://*.example.com', 'https://chat.team.example.com'],
  ])('HDR-27, HDR-22: %s allows %s', async (allowed, origin) => {
    await withSettings({ CORS_ALLOWED_ORIGINS: `https://other.example,${allowed}` }, async () => {
      const answer = await complete(router, { model: MODEL }, { headers: { origin } });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      const allowsPost = await preflight('/v1/chat/completions', WANTS_POST, origin);
      expect([allowsPost.status, allowsPost.headers.get('access-control-allow-origin')]).toEqual([
        204,
        origin,
      ]);
      const stranger = await complete(router, { model: MODEL }, { headers: { origin: `${origin}.evil` } });
      expect(corsOf(stranger)).toEqual({});
    });
  });

  test('HDR-20, HDR-24: * allows every origin, and no credentials', async () => {
    await withSettings({ CORS_ALLOWED_ORIGINS: '*' }, async () => {
      for (const origin of [APP, STRANGER, 'null']) {
        const answer = await complete(router, { model: MODEL, stream: true }, { headers: { origin } });
        expect(corsOf(answer)).toEqual({
          'access-control-allow-origin': '*',
          'access-control-expose-headers': expect.any(String),
        });
        expect(listIn(answer.headers.get('vary'))).toContain('origin');
        expect((await preflight('/v1/completions', WANTS_POST, origin)).status).toBe(204);
      }
    });
  });

  test.each(['', ' , '])('HDR-19: %j allows none, and no answer has a CORS header', async (value) => {
    await withSettings({ CORS_ALLOWED_ORIGINS: value, MAX_REQUEST_BYTES: '1000' }, async () => {
      for (const [, status, get] of ANSWERS) {
        chutes.behave(MODEL, 'normal');
        const answer = await get({ headers: { origin: APP } });
        expect([answer.status, corsOf(answer)]).toEqual([status, {}]);
        expect(listIn(answer.headers.get('vary'))).not.toContain('origin');
      }
      const answer = await preflight('/v1/chat/completions', WANTS_POST);
      expect([answer.status, corsOf(answer)]).toEqual([405, {}]);
    });
  });
});
