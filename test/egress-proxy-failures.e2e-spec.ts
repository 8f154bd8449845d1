import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, complete, errorOf, selectedOf } from './support/ask.js';
import type { ConnectScript } from './support/connect-proxy.js';
import { EgressStage, EVIDENCE, type Schemes } from './support/egress-stage.js';
import { metricsOf } from './support/metrics.js';
import type { TestRouter } from './support/router.js';

const OPENED = 'HTTP/1.1 200 Connection established\r\n\r\n';

function answering(text: string): ConnectScript {
  return ({ connection }) => {
    void connection.write(text);
    connection.fin();
  };
}

function refusing(status: string): ConnectScript {
  return answering(`HTTP/1.1 ${status}\r\nContent-Length: 12\r\n\r\nsays a proxy`);
}

/** What a proxy can do at once instead of opening a tunnel. */
const FAILURES: [string, ConnectScript][] = [
  ['refuses with 403', refusing('403 Forbidden')],
  ['wants a password', refusing('407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="a"')],
  ['answers 502', refusing('502 Bad Gateway')],
  ['answers 429', refusing('429 Too Many Requests')],
  ['redirects', refusing('302 Found\r\nLocation: http://login.example/')],
  ['answers an interim response only', answering('HTTP/1.1 100 Continue\r\n\r\n')],
  ['speaks before the upstream', answering(`${OPENED}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`)],
  ['stops in its answer', answering('HTTP/1.1 200 Connection')],
  ['speaks no HTTP', answering('SSH-2.0-OpenSSH\r\n')],
  ['closes the connection', ({ connection }) => connection.fin()],
  ['resets the connection', ({ reset }) => reset()],
];

/** What it can do to the TLS within the tunnel. */
const TLS_FAILURES: [string, ConnectScript][] = [
  ['closes the tunnel', answering(OPENED)],
  [
    'closes the tunnel during the handshake',
    ({ connection }) => {
      connection.socket.once('data', () => connection.fin());
      void connection.write(OPENED);
    },
  ],
  [
    'resets the tunnel during the handshake',
    ({ connection, reset }) => {
      connection.socket.once('data', reset);
      void connection.write(OPENED);
    },
  ],
  [
    'answers the handshake itself',
    ({ connection }) => {
      connection.socket.once('data', () => void connection.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
      void connection.write(OPENED);
    },
  ],
];

const SILENCES: [string, ConnectScript][] = [
  ['says nothing', () => {}],
  [
    'never ends its answer',
    ({ connection }) =>
      void connection.write('HTTP/1.1 200 OK\r\n').then(() => connection.writeForEver('X: y\r\n', 20)),
  ],
];

const TLS_SILENCES: [string, ConnectScript][] = [
  ['leads the tunnel nowhere', ({ connection }) => void connection.write(OPENED)],
];

describe.each<Schemes & { failures: typeof FAILURES; silences: typeof SILENCES }>([
  { upstream: 'http', proxy: 'http', failures: FAILURES, silences: SILENCES },
  {
    upstream: 'https',
    proxy: 'http',
    failures: [...FAILURES, ...TLS_FAILURES],
    silences: [...SILENCES, ...TLS_SILENCES],
  },
  {
    upstream: 'https',
    proxy: 'https',
    failures: [
      ['refuses with 403', refusing('403 Forbidden')],
      ['resets the connection', ({ reset }) => reset()],
      ...TLS_FAILURES,
    ],
    silences: TLS_SILENCES,
  },
])('$upstream through an $proxy proxy that', ({ failures, silences, ...schemes }) => {
  let stage: EgressStage;

  beforeAll(async () => {
    stage = await EgressStage.set(schemes);
  });

  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  test.each(failures)('CFG-10, CFG-41: %s is upstream_connect_error', async (_, misbehave) => {
    const router = await stage.routeAlone({ ...stage.proxied(), UPSTREAM_CONNECT_TIMEOUT_MS: '60000' });
    const behave = stage.proxy.onConnect;
    stage.proxy.onConnect = misbehave;
    const failure = { status: 502, code: 'upstream_connect_error' };
    expect(await failureOf(router)).toEqual(failure);
    expect(await evidenceFailureOf(router)).toEqual(failure);

    stage.proxy.onConnect = (request) => {
      stage.proxy.onConnect = behave;
      misbehave(request);
    };
    const answer = await complete(router, { model: 'first,second', stream: true });
    expect([answer.status, selectedOf(answer)]).toEqual([200, 'second']);
    expect(stage.chutes.generations.map(({ model }) => model)).toEqual(['second']);
    expect((await metricsOf(router)).by('reason', 'failover_reason_total')).toEqual({
      upstream_connect_error: 3,
    });
  });

  test.each(silences)(
    'CFG-10, ATT-17: %s loses its turn in time, and its connection',
    async (_, misbehave) => {
      const env = { UPSTREAM_CONNECT_TIMEOUT_MS: '300', UPSTREAM_MAX_CONNECTIONS: '1' };
      const router = await stage.routeAlone({ ...stage.proxied(), ...env });
      stage.proxy.onConnect = misbehave;
      const startedAt = performance.now();
      expect(await failureOf(router, 'first,second')).toEqual({
        status: 502,
        code: 'upstream_connect_error',
      });
      expect(performance.now() - startedAt).toBeGreaterThan(550);
      expect(stage.proxy.requests).toHaveLength(2);
      for (const { connection } of stage.proxy.requests) await connection.closed;
      expect(await evidenceFailureOf(router)).toEqual({ status: 502, code: 'upstream_connect_error' });
    },
  );

  test.each(silences)('CFG-43, ATT-28: %s is left when the client leaves', async (_, misbehave) => {
    const env = { UPSTREAM_CONNECT_TIMEOUT_MS: '60000', UPSTREAM_MAX_CONNECTIONS: '1' };
    const router = await stage.routeAlone({ ...stage.proxied(), ...env });
    const behave = stage.proxy.onConnect;
    stage.proxy.onConnect = misbehave;
    const leaving = new AbortController();
    const asking = complete(router, { model: 'first,second' }, { signal: leaving.signal });
    const { connection } = await stage.proxy.request(1);
    leaving.abort();
    const leftAt = performance.now();
    await connection.closed;
    expect(performance.now() - leftAt).toBeLessThan(1_000);
    await expect(asking).rejects.toThrow('aborted');
    stage.proxy.onConnect = behave;
    expect((await complete(router, { model: 'second' })).status).toBe(200);
    expect(router.requestLogs[0]).toMatchObject({ ending: 'client_gone', failovers: [] });
  });

  test.each([
    ['resets', 'its length is known', { 'content-length': '100' }, true],
    ['resets', 'its end is that of the connection', { connection: 'close' }, true],
    ['closes', 'its length is known', { 'content-length': '100' }, false],
  ])(
    'CFG-9, ATT-34: %s in the middle of an answer when %s ends it honestly',
    async (_, __, headers, isReset) => {
      const router = await stage.routeAlone();
      stage.chutes.behave('first', {
        kind: 'scripted',
        script: async (exchange) => {
          await exchange.head(200, headers);
          await exchange.write('half an answer');
          await new Promise(() => {});
        },
      });
      const response = await fetch(`${router.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'first' }),
      });
      const reader = response.body?.getReader();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('half an answer');
      const { connection, reset } = await stage.proxy.request(1);
      if (isReset) reset();
      else connection.fin();
      await expect(reader?.read()).rejects.toThrow('terminated');
    },
  );
});

async function failureOf(router: TestRouter, model = 'first'): Promise<unknown> {
  const answer = await complete(router, { model, stream: true });
  return { status: answer.status, code: errorOf(answer).code };
}

async function evidenceFailureOf(router: TestRouter): Promise<unknown> {
  const answer = await ask(router, EVIDENCE);
  return { status: answer.status, code: errorOf(answer).code };
}
