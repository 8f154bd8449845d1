import { describe, expect, it } from '@jest/globals';
import { AliasPolicy } from './alias-policy.js';
import { type Config, ConfigError, loadConfig } from './config.js';
import { Environment } from './environment.js';

const VARIABLES = Object.keys(new Environment());

describe('loadConfig', () => {
  it('CFG-1, CFG-63: takes an empty environment for all defaults', () => {
    expect(loadConfig({})).toEqual({
      listen: { host: '0.0.0.0', port: 8080 },
      admin: undefined,
      backends: {
        openai: { origin: 'https://llm.chutes.ai', path: '' },
        responses: { origin: 'https://responses.chutes.ai', path: '' },
        messages: { origin: 'https://claude.chutes.ai', path: '' },
      },
      evidenceBackend: { origin: 'https://api.chutes.ai', path: '' },
      catalog: {
        modelsUrl: new URL('https://llm.chutes.ai/v1/models'),
        modelsRefreshMs: 300_000,
        utilizationUrl: new URL('https://api.chutes.ai/chutes/utilization'),
        utilizationRefreshMs: 5_000,
        statsUrl: new URL('https://api.chutes.ai/invocations/stats/llm'),
        statsRefreshMs: 600_000,
        timeoutMs: 10_000,
      },
      egress: { httpsProxy: undefined, httpProxy: undefined, noProxy: [] },
      readiness: { maxSnapshotAgeMs: 20_000, maxAllowlistAgeMs: 600_000 },
      routing: {
        aliases: new Map([
          ['chutesai/AutoPilot', new AliasPolicy()],
          ['chutesai-routing/AutoPilot', new AliasPolicy()],
        ]),
        isByAbility: true,
        requireTee: false,
        isStrict: true,
        maxListItems: 8,
      },
      requests: {
        maxBytes: 33_554_432,
        maxInflightBytes: 536_870_912,
        headersTimeoutMs: 15_000,
        bodyTimeoutMs: 60_000,
        maxConnections: 8_192,
        maxLagMs: 500,
        stallTimeoutMs: 300_000,
      },
      attempts: {
        maxAttempts: 8,
        failoverDeadlineMs: 180_000,
        headerTimeoutMs: 30_000,
        firstByteTimeoutMs: 30_000,
        patientTimeoutMs: 620_000,
        retryableStatuses: new Set([502, 503, 504]),
        failsOverOnCapacity: false,
        retriesEmpty: false,
        keepAliveMs: 0,
        shapesErrors: false,
        learnsDeadlines: true,
      },
      cooldown: { failures: 3, cooldownMs: 15_000, maxMs: 120_000 },
      upstream: {
        connectTimeoutMs: 2_000,
        idleTimeoutMs: 300_000,
        maxConnections: 1_024,
        connectionMaxAgeMs: 300_000,
      },
      sticky: {
        ttlMs: 1_800_000,
        maxEntries: 10_000,
        failbackMs: 30_000,
        isByConversation: false,
        avoidMs: 30_000,
        sessionHeader: 'x-session-id',
        hashSecret: undefined,
        redis: undefined,
      },
      trustedProxies: [],
      shutdown: { drainMs: 5_000, graceMs: 30_000 },
      hasStatusPage: true,
      corsOrigins: [],
      logLevel: 'info',
      traces: undefined,
    } satisfies Config);
  });

  it('CFG-3: takes an empty or blank value for one that is not set', () => {
    for (const blank of ['', '  ', undefined]) {
      expect(loadConfig(Object.fromEntries(VARIABLES.map((name) => [name, blank])))).toEqual(loadConfig({}));
    }
  });

  it('CFG-4: names every problem in one message, a line each', () => {
    const error = errorOf({
      LISTEN_ADDR: 'nowhere',
      MODELS_URL: 'ftp://models.example',
      UTILIZATION_REFRESH_MS: 'soon',
      TRUST_PROXY_HEADERS: 'true',
      LOG_LEVEL: 'loud',
    });
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(/problems:$/),
      expect.stringMatching(/^- LISTEN_ADDR must be /),
      expect.stringMatching(/^- MODELS_URL must be /),
      expect.stringMatching(/^- UTILIZATION_REFRESH_MS must be /),
      expect.stringMatching(/^- TRUSTED_PROXY_CIDRS must be .* TRUST_PROXY_HEADERS/),
      expect.stringMatching(/^- LOG_LEVEL must be /),
    ]);
  });

  it('CFG-4: does not repeat a value, which may hold credentials', () => {
    const error = errorOf({ BACKEND_BASE_URL: 'https://me:hunter2@llm.example', LOG_LEVEL: 'hunter2' });
    expect(error.problems).toHaveLength(2);
    expect(error.message).not.toContain('hunter2');
  });

  it('CFG-4, CFG-28: names what is wrong with shared pins all at once, and nothing secret', () => {
    const error = errorOf({
      STICKY_STORE: 'redis',
      REDIS_URL: 'https://:hunter2@redis.example',
      REDIS_TIMEOUT_MS: 'hunter2',
    });
    expect(error.problems).toEqual([
      expect.stringMatching(/^REDIS_URL must be .* is needed with STICKY_STORE=redis$/),
      expect.stringMatching(/^REDIS_TIMEOUT_MS must be /),
      expect.stringMatching(/^STICKY_HASH_SECRET must be .* is needed with STICKY_STORE=redis$/),
    ]);
    expect(error.message).not.toContain('hunter2');
  });
});

describe('what the settings become', () => {
  it.each([
    ['127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }],
    ['[::1]:9000', { host: '::1', port: 9000 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
  ])('CFG-5, CFG-46: LISTEN_ADDR=%s, and ADMIN_LISTEN_ADDR', (value, listen) => {
    expect(loadConfig({ LISTEN_ADDR: value }).listen).toEqual(listen);
    expect(loadConfig({ ADMIN_LISTEN_ADDR: value })).toMatchObject({ admin: listen });
  });

  it.each([
    ['http://llm.example:81', { origin: 'http://llm.example:81', path: '' }],
    ['https://llm.example/', { origin: 'https://llm.example', path: '' }],
    ['https://llm.example/v1', { origin: 'https://llm.example', path: '' }],
    ['https://llm.example/a/b', { origin: 'https://llm.example', path: '/a/b' }],
    ['https://llm.example/a/v1/', { origin: 'https://llm.example', path: '/a' }],
    ['https://llm.example/v1/a', { origin: 'https://llm.example', path: '/v1/a' }],
    ['https://llm.example/av1', { origin: 'https://llm.example', path: '/av1' }],
  ])('CFG-7, CFG-67: BACKEND_BASE_URL=%s, and those of the other doors', (value, backend) => {
    const { backends } = loadConfig({
      BACKEND_BASE_URL: value,
      RESPONSES_BASE_URL: value,
      MESSAGES_BASE_URL: value,
    });
    expect(backends).toEqual({ openai: backend, responses: backend, messages: backend });
  });

  it('CFG-67: off takes either of the other doors away', () => {
    expect(loadConfig({ RESPONSES_BASE_URL: 'off' }).backends.responses).toBeUndefined();
    expect(loadConfig({ MESSAGES_BASE_URL: 'off' }).backends).toMatchObject({
      responses: { origin: 'https://responses.chutes.ai' },
      messages: undefined,
    });
  });

  it('CFG-8: the addresses of the control plane are taken as they are', () => {
    const { catalog, evidenceBackend } = loadConfig({
      MODELS_URL: 'http://a.example/list?all=1',
      UTILIZATION_URL: 'https://b.example/use/',
      STATS_URL: 'https://d.example/stats?days=1',
      EVIDENCE_BASE_URL: 'https://c.example/api/v1',
    });
    expect(catalog.modelsUrl.href).toBe('http://a.example/list?all=1');
    expect(catalog.utilizationUrl.href).toBe('https://b.example/use/');
    expect(catalog.statsUrl?.href).toBe('https://d.example/stats?days=1');
    expect(evidenceBackend).toEqual({ origin: 'https://c.example', path: '/api/v1' });
  });

  it('CFG-61: STATS_URL=off stands for no statistics', () => {
    expect(loadConfig({ STATS_URL: 'off' }).catalog.statsUrl).toBeUndefined();
  });

  it('CFG-9: the proxies, one for each scheme, and what goes past them', () => {
    const { egress } = loadConfig({
      HTTPS_PROXY: 'http://me:p%40ss@proxy.example:3128',
      HTTP_PROXY: 'https://[::1]',
      NO_PROXY: 'a.example, .b.example\t10.0.0.0/8,,',
    });
    expect(egress).toEqual({
      httpsProxy: new URL('http://me:p%40ss@proxy.example:3128'),
      httpProxy: new URL('https://[::1]'),
      noProxy: ['a.example', '.b.example', '10.0.0.0/8'],
    });
  });

  it.each([
    ['proxy.example:3128', 'http://proxy.example:3128/'],
    ['proxy.example', 'http://proxy.example/'],
    ['localhost:3128', 'http://localhost:3128/'],
    ['10.0.0.1:3128', 'http://10.0.0.1:3128/'],
    ['[::1]:3128', 'http://[::1]:3128/'],
    ['me:p%40ss@proxy.example:3128', 'http://me:p%40ss@proxy.example:3128/'],
    ['HTTPS://proxy.example:3128/', 'https://proxy.example:3128/'],
  ])('CFG-54: %s as a proxy is %s', (value, url) => {
    const env = { https_proxy: value, HTTP_PROXY: value };
    const { httpsProxy, httpProxy } = loadConfig(env).egress;
    expect([httpsProxy?.href, httpProxy?.href]).toEqual([url, url]);
  });

  it.each(['HTTPS_PROXY', 'HTTP_PROXY'] as const)(
    'CFG-38: %s in lower case wins, unless it is empty',
    (name) => {
      const lower = name.toLowerCase();
      const proxyOf = (env: Readonly<Record<string, string>>): string | undefined => {
        const { httpsProxy, httpProxy } = loadConfig(env).egress;
        return (name === 'HTTPS_PROXY' ? httpsProxy : httpProxy)?.host;
      };
      expect(proxyOf({ [lower]: 'http://lower.example', [name]: 'http://upper.example' })).toBe(
        'lower.example',
      );
      expect(proxyOf({ [lower]: 'http://lower.example' })).toBe('lower.example');
      expect(proxyOf({ [lower]: ' ', [name]: 'http://upper.example' })).toBe('upper.example');
    },
  );

  it('CFG-38: no_proxy wins over NO_PROXY', () => {
    expect(loadConfig({ no_proxy: 'lower', NO_PROXY: 'upper' }).egress.noProxy).toEqual(['lower']);
    expect(loadConfig({ no_proxy: '', NO_PROXY: 'upper' }).egress.noProxy).toEqual(['upper']);
  });

  it('CFG-38: no other variable is read in lower case', () => {
    expect(loadConfig({ log_level: 'debug', backend_base_url: 'nonsense' })).toEqual(loadConfig({}));
  });

  it('CFG-12: the clocks of the feeds', () => {
    const { catalog } = loadConfig({
      MODELS_REFRESH_MS: '1',
      UTILIZATION_REFRESH_MS: '2',
      STATS_REFRESH_MS: '4',
      CONTROL_PLANE_TIMEOUT_MS: '3',
    });
    expect(catalog).toMatchObject({
      modelsRefreshMs: 1,
      utilizationRefreshMs: 2,
      statsRefreshMs: 4,
      timeoutMs: 3,
    });
  });

  it('CFG-13: the ages up to which the router is ready', () => {
    const { readiness } = loadConfig({ READYZ_MAX_SNAPSHOT_AGE_MS: '1', READYZ_MAX_ALLOWLIST_AGE_MS: '2' });
    expect(readiness).toEqual({ maxSnapshotAgeMs: 1, maxAllowlistAgeMs: 2 });
  });

  it.each([
    ['auto', ['auto']],
    [' a/auto , ,b ', ['a/auto', 'b']],
  ])('CFG-14: AUTOPILOT_ALIASES=%s', (value, aliases) => {
    expect([...loadConfig({ AUTOPILOT_ALIASES: value }).routing.aliases.keys()]).toEqual(aliases);
  });

  it('CFG-15: whether the catalog decides which models there are', () => {
    expect(loadConfig({ MODEL_VALIDATION: 'strict' }).routing.isStrict).toBe(true);
    expect(loadConfig({ MODEL_VALIDATION: 'lenient' }).routing.isStrict).toBe(false);
  });

  it('CFG-16: how much is tried', () => {
    const { routing, attempts } = loadConfig({
      MAX_MODEL_LIST_ITEMS: '1',
      MAX_UPSTREAM_ATTEMPTS: '2',
      FAILOVER_DEADLINE_MS: '3',
    });
    expect(routing.maxListItems).toBe(1);
    expect(attempts).toMatchObject({ maxAttempts: 2, failoverDeadlineMs: 3 });
  });

  it.each([
    ['CFG-17', { MAX_REQUEST_BYTES: '1' }, { requests: { maxBytes: 1 } }],
    ['CFG-19', { UPSTREAM_IDLE_TIMEOUT_MS: '0' }, { upstream: { idleTimeoutMs: 0 } }],
    ['CFG-19', { CLIENT_STALL_TIMEOUT_MS: '0' }, { requests: { stallTimeoutMs: 0 } }],
    ['CFG-21', { UPSTREAM_MAX_CONNECTIONS: '2' }, { upstream: { maxConnections: 2 } }],
    ['CFG-24', { MAX_CLIENT_CONNECTIONS: '3' }, { requests: { maxConnections: 3 } }],
    ['CFG-47', { OVERLOAD_LAG_MS: '0' }, { requests: { maxLagMs: 0 } }],
  ])('%s: the limit %j', (_clause, env, config) => {
    expect(loadConfig(env)).toMatchObject(config);
  });

  it('CFG-45: how long a connection is used', () => {
    const { upstream } = loadConfig({ UPSTREAM_CONNECTION_MAX_AGE_MS: '3' });
    expect(upstream.connectionMaxAgeMs).toBe(3);
  });

  it('CFG-18: the clocks of an attempt', () => {
    const { upstream, attempts } = loadConfig({
      UPSTREAM_CONNECT_TIMEOUT_MS: '1',
      UPSTREAM_HEADER_TIMEOUT_MS: '2',
      UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '3',
      UPSTREAM_PATIENT_TIMEOUT_MS: '4',
    });
    expect(upstream.connectTimeoutMs).toBe(1);
    expect(attempts).toMatchObject({ headerTimeoutMs: 2, firstByteTimeoutMs: 3, patientTimeoutMs: 4 });
  });

  it.each([
    ['400, 599,503,503', [400, 599, 503]],
    [',', []],
  ])('CFG-20: UPSTREAM_RETRYABLE_STATUSES=%s', (value, statuses) => {
    const { retryableStatuses } = loadConfig({ UPSTREAM_RETRYABLE_STATUSES: value }).attempts;
    expect([...retryableStatuses]).toEqual(statuses);
  });

  it('CFG-25, CFG-62: stickiness', () => {
    const { sticky } = loadConfig({
      STICKY_TTL_SECS: '1',
      STICKY_MAX_ENTRIES: '2',
      STICKY_FAILBACK_SECS: '3',
      STICKY_SESSION_HEADER: 'X-Chat',
      STICKY_SCOPE: 'conversation',
      STICKY_HASH_SECRET: 'pepper',
    });
    expect(sticky).toEqual({
      ttlMs: 1_000,
      maxEntries: 2,
      failbackMs: 3_000,
      avoidMs: 30_000,
      isByConversation: true,
      sessionHeader: 'x-chat',
      hashSecret: 'pepper',
      redis: undefined,
    });
  });

  it.each(['redis://localhost', 'rediss://:p%40ss@[::1]:6380/3', 'redis://user:pw@redis.example:6379/'])(
    'CFG-28: STICKY_STORE=redis with REDIS_URL=%s',
    (url) => {
      const env = { STICKY_STORE: 'redis', REDIS_URL: url, STICKY_HASH_SECRET: 'pepper' };
      expect(loadConfig(env).sticky.redis).toEqual({ url, timeoutMs: 25 });
      expect(loadConfig({ ...env, REDIS_TIMEOUT_MS: '7' }).sticky.redis?.timeoutMs).toBe(7);
    },
  );

  it('CFG-28: without STICKY_STORE=redis there is none, wherever REDIS_URL points', () => {
    expect(loadConfig({ REDIS_URL: 'redis://localhost' }).sticky.redis).toBeUndefined();
    const env = { STICKY_STORE: 'memory', REDIS_URL: 'redis://localhost', STICKY_HASH_SECRET: 'pepper' };
    expect(loadConfig(env).sticky.redis).toBeUndefined();
  });

  it.each([
    ['false', []],
    ['true', ['10.0.0.0/8', '::1']],
  ])('CFG-29: TRUST_PROXY_HEADERS=%s decides whether the networks count', (trust, networks) => {
    const env = { TRUST_PROXY_HEADERS: trust, TRUSTED_PROXY_CIDRS: '10.0.0.0/8, ::1' };
    expect(loadConfig(env).trustedProxies).toEqual(networks);
  });

  it('CFG-30: how long the end may take', () => {
    const { shutdown } = loadConfig({ SHUTDOWN_DRAIN_MS: '0', SHUTDOWN_GRACE_MS: '1' });
    expect(shutdown).toEqual({ drainMs: 0, graceMs: 1 });
  });

  it.each([
    ['*', ['*']],
    ['https://a.example, http://b:81', ['https://a.example', 'http://b:81']],
    ['app://obsidian.md,https://*.example.com', ['app://obsidian.md', 'https://*.example.com']],
  ])('CFG-31, CFG-53: CORS_ALLOWED_ORIGINS=%s', (value, origins) => {
    expect(loadConfig({ CORS_ALLOWED_ORIGINS: value }).corsOrigins).toEqual(origins);
  });

  it.each([
    [{}, [false, false, false]],
    [{ FAILOVER_ON_CAPACITY: 'true' }, [true, false, false]],
    [{ RETRY_EMPTY_ANSWERS: 'true' }, [false, true, false]],
    [{ ERROR_SHAPE: 'openai' }, [false, false, true]],
    [{ ERROR_SHAPE: 'upstream' }, [false, false, false]],
  ])('CFG-56, CFG-57: %j', (env, expected) => {
    const { failsOverOnCapacity, retriesEmpty, shapesErrors } = loadConfig(env).attempts;
    expect([failsOverOnCapacity, retriesEmpty, shapesErrors]).toEqual(expected);
  });

  it.each([
    ['', true],
    ['true', true],
    ['false', false],
  ])('CFG-68: STATUS_PAGE=%s', (value, expected) => {
    expect(loadConfig({ STATUS_PAGE: value }).hasStatusPage).toBe(expected);
  });

  it('CFG-63, CFG-64: what just happened counts as it is asked for', () => {
    const { cooldown, sticky, attempts } = loadConfig({
      COOLDOWN_FAILURES: '0',
      COOLDOWN_MS: '1',
      COOLDOWN_MAX_MS: '2',
      CAPACITY_AVOID_SECS: '5',
      LEARNED_DEADLINES: 'false',
    });
    expect([cooldown, sticky.avoidMs, attempts.learnsDeadlines]).toEqual([
      { failures: 0, cooldownMs: 1, maxMs: 2 },
      5_000,
      false,
    ]);
  });

  it('CFG-66: how long the client of a stream waits in silence', () => {
    expect(loadConfig({ SSE_KEEPALIVE_SECS: '15' }).attempts.keepAliveMs).toBe(15_000);
    expect(loadConfig({ SSE_KEEPALIVE_SECS: '0' }).attempts.keepAliveMs).toBe(0);
    expect(errorOf({ SSE_KEEPALIVE_SECS: '86401' }).problems).toEqual([
      'SSE_KEEPALIVE_SECS must be a whole number from 0 to 86400',
    ]);
  });

  it.each(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])('CFG-32: LOG_LEVEL=%s', (level) => {
    expect(loadConfig({ LOG_LEVEL: level }).logLevel).toBe(level);
  });
});

function errorOf(env: Readonly<Record<string, string>>): ConfigError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('The configuration has no problem.');
}
