import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from './config.js';
import { Environment } from './environment.js';

const DEFAULTS: [name: string, value: unknown][] = Object.entries(new Environment());
const NUMBERS = DEFAULTS.filter(([, value]) => typeof value === 'number').map(([name]) => name);
const ZERO_MEANS_SOMETHING = new Set([
  'UPSTREAM_IDLE_TIMEOUT_MS',
  'CLIENT_STALL_TIMEOUT_MS',
  'STICKY_TTL_SECS',
  'SSE_KEEPALIVE_SECS',
  'STICKY_MAX_ENTRIES',
  'STICKY_FAILBACK_SECS',
  'COOLDOWN_FAILURES',
  'CAPACITY_AVOID_SECS',
  'OVERLOAD_LAG_MS',
  'SHUTDOWN_DRAIN_MS',
  'SHUTDOWN_GRACE_MS',
]);

describe('numbers', () => {
  it.each(NUMBERS)(
    'CFG-2: %s is a decimal integer of at least 1, or 0 where that means something',
    (name) => {
      const right = ['1', '017', ' 17 '];
      const wrong = ['-1', '1.5', '1e3', '0x10', '+5', '1_000', '5s', '٣', 'Infinity', 'true'];
      expect(right.filter((value) => refused({ [name]: value }).length > 0)).toEqual([]);
      expect(wrong.filter((value) => refused({ [name]: value })[0] !== name)).toEqual([]);
      expect(refused({ [name]: '0' })).toEqual(ZERO_MEANS_SOMETHING.has(name) ? [] : [name]);
    },
  );

  it.each(NUMBERS.filter((name) => name.endsWith('_MS')))(
    'CFG-2: %s is not longer than a timer of Node can be',
    (name) => {
      expect(refused({ [name]: '2147483647' })).toEqual([]);
      expect(refused({ [name]: '2147483648' })).toEqual([name]);
    },
  );

  it('CFG-2: the memory for bodies can be larger than 2 GiB', () => {
    expect(loadConfig({ MAX_INFLIGHT_BODY_BYTES: '8589934592' }).requests.maxInflightBytes).toBe(2 ** 33);
  });
});

describe('what is refused', () => {
  it.each(['8080', 'localhost', ':8080', '0.0.0.0:', '0.0.0.0:65536', '::1:8080', '[1.2.3.4]:80', '[::1]'])(
    'CFG-5: LISTEN_ADDR=%s',
    (value) => {
      expect(refused({ LISTEN_ADDR: value })).toEqual(['LISTEN_ADDR']);
    },
  );

  it.each(['9090', '::1:9090', '0.0.0.0:8080', '127.0.0.1:8080', '[::]:8080', '[::1]:8080'])(
    'CFG-46: ADMIN_LISTEN_ADDR=%s beside the default LISTEN_ADDR',
    (value) => {
      expect(refused({ ADMIN_LISTEN_ADDR: value })).toEqual(['ADMIN_LISTEN_ADDR']);
    },
  );

  it.each([
    ['127.0.0.1:80', '127.0.0.1:80', false],
    ['127.0.0.1:80', '0.0.0.0:80', false],
    ['127.0.0.1:80', '127.0.0.1:81', true],
    ['127.0.0.1:80', '127.0.0.2:80', true],
    ['127.0.0.1:80', '[::1]:80', true],
    ['0.0.0.0:80', '0.0.0.0:81', true],
    ['127.0.0.1:0', '127.0.0.1:0', true],
  ])(
    'CFG-46: beside LISTEN_ADDR=%s ADMIN_LISTEN_ADDR=%s is right: %s',
    (LISTEN_ADDR, ADMIN_LISTEN_ADDR, isRight) => {
      expect(refused({ LISTEN_ADDR, ADMIN_LISTEN_ADDR })).toEqual(isRight ? [] : ['ADMIN_LISTEN_ADDR']);
    },
  );

  it.each([
    'llm.example',
    'ftp://llm.example',
    'https://me@llm.example',
    'https://:pw@llm.example',
    'https://llm.example/v1?key=1',
    'https://',
  ])('CFG-6, CFG-67: %s as a base URL of any door', (value) => {
    const names = ['BACKEND_BASE_URL', 'RESPONSES_BASE_URL', 'MESSAGES_BASE_URL'];
    expect(refused(Object.fromEntries(names.map((name) => [name, value])))).toEqual(names);
  });

  it.each(['OFF', 'none', 'off/'])('CFG-67: %s does not take a door away', (value) => {
    expect(refused({ MESSAGES_BASE_URL: value })).toEqual(['MESSAGES_BASE_URL']);
  });

  it('CFG-67: chat completions are always served', () => {
    expect(refused({ BACKEND_BASE_URL: 'off' })).toEqual(['BACKEND_BASE_URL']);
  });

  it.each(['api.example/path', 'file:///etc/models.json', 'https://me:pw@api.example'])(
    'CFG-8: %s as an address of the control plane',
    (value) => {
      const names = ['MODELS_URL', 'UTILIZATION_URL', 'STATS_URL', 'EVIDENCE_BASE_URL'];
      expect(refused(Object.fromEntries(names.map((name) => [name, value])))).toEqual(names);
    },
  );

  it.each(['Off', 'none', 'false'])('CFG-61: STATS_URL=%s', (value) => {
    expect(refused({ STATS_URL: value })).toEqual(['STATS_URL']);
  });

  it.each([
    'proxy.example:3128/path',
    'proxy example:3128',
    'proxy.example:port',
    ':3128',
    'socks5://proxy.example',
    'socks5://proxy.example:1080',
    'http:proxy.example:3128',
    'http://',
    'http://proxy.example/path',
    'http://proxy.example?a=1',
    'http://proxy.example#a',
    'http://me:%zz@proxy.example',
  ])('CFG-39: %s as a proxy', (value) => {
    const names = ['HTTPS_PROXY', 'HTTP_PROXY'];
    expect(refused(Object.fromEntries(names.map((name) => [name, value])))).toEqual(names);
    expect(refused({ https_proxy: value })).toEqual(['HTTPS_PROXY']);
  });

  it.each(['Strict', 'off', 'true'])('CFG-15: MODEL_VALIDATION=%s', (value) => {
    expect(refused({ MODEL_VALIDATION: value })).toEqual(['MODEL_VALIDATION']);
  });

  it.each(['429', '502,429', '399', '600', '200', '5xx', '502;503', '502 503', '0503'])(
    'CFG-20: UPSTREAM_RETRYABLE_STATUSES=%s',
    (value) => {
      expect(refused({ UPSTREAM_RETRYABLE_STATUSES: value })).toEqual(['UPSTREAM_RETRYABLE_STATUSES']);
    },
  );

  it.each(['x session', 'x:session', 'sitzung-ä', 'a,b'])('CFG-26: STICKY_SESSION_HEADER=%s', (value) => {
    expect(refused({ STICKY_SESSION_HEADER: value })).toEqual(['STICKY_SESSION_HEADER']);
  });

  it.each(['Redis', 'memory,redis', 'rediss'])('CFG-28: STICKY_STORE=%s', (value) => {
    expect(refused({ STICKY_STORE: value })).toEqual(['STICKY_STORE']);
  });

  it.each([
    'redis.example:6379',
    'http://redis.example',
    'unix:///run/redis.sock',
    'redis://',
    'redis:///0',
    'redis://redis.example:0x1',
    'redis://redis.example/pins',
    'redis://redis.example/0/1',
    'redis://redis.example?db=1',
    'redis://redis.example#1',
    'redis://:%zz@redis.example',
  ])('CFG-28: REDIS_URL=%s', (value) => {
    expect(refused({ REDIS_URL: value })).toEqual(['REDIS_URL']);
    const env = { STICKY_STORE: 'redis', STICKY_HASH_SECRET: 'pepper' };
    expect(refused({ ...env, REDIS_URL: value })).toEqual(['REDIS_URL']);
  });

  it.each<[env: Record<string, string>, missing: string[]]>([
    [{}, ['REDIS_URL', 'STICKY_HASH_SECRET']],
    [{ REDIS_URL: 'redis://localhost' }, ['STICKY_HASH_SECRET']],
    [{ STICKY_HASH_SECRET: 'pepper', REDIS_URL: ' ' }, ['REDIS_URL']],
  ])('CFG-28: STICKY_STORE=redis with %j', (env, missing) => {
    expect(refused({ STICKY_STORE: 'redis', ...env })).toEqual(missing);
  });

  it.each(['1', 'yes', 'TRUE', 'on'])('CFG-29: TRUST_PROXY_HEADERS=%s', (value) => {
    expect(refused({ TRUST_PROXY_HEADERS: value })).toEqual(['TRUST_PROXY_HEADERS']);
  });

  it.each([
    '10.0.0.0/33',
    '::1/129',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'proxy.example',
    '10.0.0.1;::1',
  ])('CFG-29: TRUSTED_PROXY_CIDRS=%s', (value) => {
    expect(refused({ TRUSTED_PROXY_CIDRS: value })).toEqual(['TRUSTED_PROXY_CIDRS']);
  });

  it.each(['', ' , '])('CFG-29: TRUST_PROXY_HEADERS=true with TRUSTED_PROXY_CIDRS="%s"', (value) => {
    const env = { TRUST_PROXY_HEADERS: 'true', TRUSTED_PROXY_CIDRS: value };
    expect(refused(env)).toEqual(['TRUSTED_PROXY_CIDRS']);
  });

  it.each([
    'app.example',
    'null',
    'https://app.example/',
    'https://app.example/a',
    '*.example',
    '*,https://a.example',
    'https://a.example https://b.example',
  ])('CFG-31: CORS_ALLOWED_ORIGINS=%s', (value) => {
    expect(refused({ CORS_ALLOWED_ORIGINS: value })).toEqual(['CORS_ALLOWED_ORIGINS']);
  });

  it('CFG-4, CFG-53: of each origin that could never match, the spelling that does is told', () => {
    const value =
      'https://a.example, https://me:hunter2@B.example/path ,http://c.example:80,app://d,null,e.example';
    const [problem, ...others] = problemsOf({ CORS_ALLOWED_ORIGINS: value });
    expect(others).toEqual([]);
    expect(problem?.split('; ').slice(1)).toEqual([
      'entry 2 has to be https://b.example',
      'entry 3 has to be http://c.example',
      'null, which any page can make its origin, is allowed by * alone',
    ]);
    expect(problem).not.toContain('hunter2');
  });

  it.each(['Client', 'session', 'true'])('CFG-62: STICKY_SCOPE=%s', (value) => {
    expect(refused({ STICKY_SCOPE: value })).toEqual(['STICKY_SCOPE']);
  });

  it.each(['OpenAI', 'anthropic', 'true'])('CFG-57: ERROR_SHAPE=%s', (value) => {
    expect(refused({ ERROR_SHAPE: value })).toEqual(['ERROR_SHAPE']);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_SAMPLER', 'always'],
    ['OTEL_TRACES_SAMPLER_ARG', '5%'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_SDK_DISABLED', 'yes'],
  ])('CFG-60: %s=%s', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name} must be `)]);
  });

  it.each(['verbose', 'INFO', '30'])('CFG-32: LOG_LEVEL=%s', (value) => {
    expect(refused({ LOG_LEVEL: value })).toEqual(['LOG_LEVEL']);
  });
});

describe('.env.example', () => {
  const lines = readFileSync('.env.example', 'utf8').split('\n');

  it('has every variable, commented out and with its default', () => {
    const settings = lines.filter((line) => /^#?[A-Z]/.test(line)).toSorted();
    expect(settings).toEqual(DEFAULTS.map(([name, value]) => `#${name}=${String(value)}`).toSorted());
  });

  it('holds nothing else but comments', () => {
    expect(lines.filter((line) => !/^(?:#[A-Z_]+=\S*|# .+|)$/.test(line))).toEqual([]);
  });
});

/** The names of the variables that are refused. */
function refused(env: Readonly<Record<string, string>>): string[] {
  return problemsOf(env).map((problem) => problem.split(' ', 1)[0] ?? '');
}

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
