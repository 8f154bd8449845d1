import { validateSync } from 'class-validator';
import { readAliases } from './aliases.js';
import { Environment } from './environment.js';
import { parseProxyUrl } from './proxy-url.js';
import { OFF, splitList, splitListenAddress } from './validators.js';

/** The validated configuration, in the shapes the rooms use. Made once, at start; nothing else reads the environment. */
export type Config = ReturnType<typeof toConfig>;

/** Injection token of {@link Config}. */
export const CONFIG = Symbol('Config');

/** Every problem of the configuration, a line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : 'problems'}:\n- ${problems.join('\n- ')}`,
    );
    this.name = 'ConfigError';
  }
}

/** @throws {ConfigError} naming all problems at once. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const environment = readEnvironment(env);
  const problems = validateSync(environment).flatMap(({ constraints }) => Object.values(constraints ?? {}));
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(environment);
}

/** A value that is not of its default's type is kept as it came, for its rule to reject. */
function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const environment = new Environment();
  const values = Object.entries(environment).map(([name, fallback]: [string, unknown]) => {
    const text = textOf(name, env);
    if (text === '') return [name, fallback];
    if (typeof fallback === 'number' && /^\d+$/.test(text)) return [name, Number(text)];
    if (typeof fallback === 'boolean' && /^(?:true|false)$/.test(text)) return [name, text === 'true'];
    return [name, text];
  });
  return Object.assign(environment, Object.fromEntries(values));
}

/** The names of proxies are spelled in both cases; the lower one wins, as with curl. */
const EITHER_CASE: ReadonlySet<string> = new Set(['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']);

function textOf(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const lower = EITHER_CASE.has(name) ? env[name.toLowerCase()]?.trim() : undefined;
  return lower || (env[name]?.trim() ?? '');
}

function toConfig(env: Environment) {
  return {
    listen: validated(splitListenAddress(env.LISTEN_ADDR)),
    admin: env.ADMIN_LISTEN_ADDR === '' ? undefined : validated(splitListenAddress(env.ADMIN_LISTEN_ADDR)),
    backends: {
      openai: baseUrl(env.BACKEND_BASE_URL, '/v1'),
      responses: backendUnlessOff(env.RESPONSES_BASE_URL),
      messages: backendUnlessOff(env.MESSAGES_BASE_URL),
    },
    evidenceBackend: baseUrl(env.EVIDENCE_BASE_URL),
    catalog: {
      modelsUrl: new URL(env.MODELS_URL),
      modelsRefreshMs: env.MODELS_REFRESH_MS,
      utilizationUrl: new URL(env.UTILIZATION_URL),
      utilizationRefreshMs: env.UTILIZATION_REFRESH_MS,
      /** `undefined`: there are no statistics. */
      statsUrl: env.STATS_URL === OFF ? undefined : new URL(env.STATS_URL),
      statsRefreshMs: env.STATS_REFRESH_MS,
      timeoutMs: env.CONTROL_PLANE_TIMEOUT_MS,
    },
    egress: {
      httpsProxy: env.HTTPS_PROXY === '' ? undefined : validated(parseProxyUrl(env.HTTPS_PROXY)),
      httpProxy: env.HTTP_PROXY === '' ? undefined : validated(parseProxyUrl(env.HTTP_PROXY)),
      noProxy: env.NO_PROXY.split(/[\s,]+/).filter((entry) => entry !== '') as readonly string[],
    },
    readiness: {
      maxSnapshotAgeMs: env.READYZ_MAX_SNAPSHOT_AGE_MS,
      maxAllowlistAgeMs: env.READYZ_MAX_ALLOWLIST_AGE_MS,
    },
    routing: {
      aliases: readAliases(env.AUTOPILOT_ALIASES).aliases,
      /** Whether what a request needs decides who may answer it. */
      isByAbility: env.CAPABILITY_ROUTING,
      requireTee: env.REQUIRE_TEE,
      isStrict: env.MODEL_VALIDATION === 'strict',
      maxListItems: env.MAX_MODEL_LIST_ITEMS,
    },
    requests: {
      maxBytes: env.MAX_REQUEST_BYTES,
      maxInflightBytes: env.MAX_INFLIGHT_BODY_BYTES,
      headersTimeoutMs: env.REQUEST_HEADERS_TIMEOUT_MS,
      bodyTimeoutMs: env.REQUEST_BODY_TIMEOUT_MS,
      maxConnections: env.MAX_CLIENT_CONNECTIONS,
      maxLagMs: env.OVERLOAD_LAG_MS,
      stallTimeoutMs: env.CLIENT_STALL_TIMEOUT_MS,
    },
    attempts: {
      maxAttempts: env.MAX_UPSTREAM_ATTEMPTS,
      failoverDeadlineMs: env.FAILOVER_DEADLINE_MS,
      headerTimeoutMs: env.UPSTREAM_HEADER_TIMEOUT_MS,
      firstByteTimeoutMs: env.UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS,
      patientTimeoutMs: env.UPSTREAM_PATIENT_TIMEOUT_MS,
      retryableStatuses: new Set(
        splitList(env.UPSTREAM_RETRYABLE_STATUSES).map(Number),
      ) as ReadonlySet<number>,
      failsOverOnCapacity: env.FAILOVER_ON_CAPACITY,
      retriesEmpty: env.RETRY_EMPTY_ANSWERS,
      /** How long the client of a stream waits in silence; 0: for as long as it takes. */
      keepAliveMs: env.SSE_KEEPALIVE_SECS * 1_000,
      shapesErrors: env.ERROR_SHAPE === 'openai',
      learnsDeadlines: env.LEARNED_DEADLINES,
    },
    cooldown: {
      failures: env.COOLDOWN_FAILURES,
      cooldownMs: env.COOLDOWN_MS,
      maxMs: env.COOLDOWN_MAX_MS,
    },
    upstream: {
      connectTimeoutMs: env.UPSTREAM_CONNECT_TIMEOUT_MS,
      idleTimeoutMs: env.UPSTREAM_IDLE_TIMEOUT_MS,
      maxConnections: env.UPSTREAM_MAX_CONNECTIONS,
      connectionMaxAgeMs: env.UPSTREAM_CONNECTION_MAX_AGE_MS,
    },
    sticky: {
      ttlMs: env.STICKY_TTL_SECS * 1_000,
      maxEntries: env.STICKY_MAX_ENTRIES,
      failbackMs: env.STICKY_FAILBACK_SECS * 1_000,
      isByConversation: env.STICKY_SCOPE === 'conversation',
      avoidMs: env.CAPACITY_AVOID_SECS * 1_000,
      sessionHeader: env.STICKY_SESSION_HEADER.toLowerCase(),
      hashSecret: env.STICKY_HASH_SECRET === '' ? undefined : env.STICKY_HASH_SECRET,
      redis:
        env.STICKY_STORE === 'redis' ? { url: env.REDIS_URL, timeoutMs: env.REDIS_TIMEOUT_MS } : undefined,
    },
    trustedProxies: env.TRUST_PROXY_HEADERS ? splitList(env.TRUSTED_PROXY_CIDRS) : [],
    shutdown: { drainMs: env.SHUTDOWN_DRAIN_MS, graceMs: env.SHUTDOWN_GRACE_MS },
    hasStatusPage: env.STATUS_PAGE,
    corsOrigins: splitList(env.CORS_ALLOWED_ORIGINS),
    logLevel: env.LOG_LEVEL,
    traces: isTraced(env)
      ? { sampler: env.OTEL_TRACES_SAMPLER, ratio: Number(env.OTEL_TRACES_SAMPLER_ARG) }
      : undefined,
  } as const;
}

function isTraced(env: Environment): boolean {
  const isConfigured =
    env.OTEL_EXPORTER_OTLP_ENDPOINT !== '' || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== '';
  return isConfigured && !env.OTEL_SDK_DISABLED;
}

function validated<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new Error('A value passed its rule but cannot be read.');
  return value;
}

/** `path` is the prefix before `/v1/…`, without a trailing slash. */
export interface BaseUrl {
  readonly origin: string;
  readonly path: string;
}

/** @returns `undefined` where what goes there is not served. */
function backendUnlessOff(text: string): BaseUrl | undefined {
  return text === OFF ? undefined : baseUrl(text, '/v1');
}

function baseUrl(text: string, redundantSuffix = ''): BaseUrl {
  const { origin, pathname } = new URL(text);
  const path = pathname.replace(/\/+$/, '');
  return {
    origin,
    path: redundantSuffix && path.endsWith(redundantSuffix) ? path.slice(0, -redundantSuffix.length) : path,
  };
}
