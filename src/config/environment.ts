import { IsIn } from 'class-validator';
import { AreAliases } from './aliases.js';
import { type SamplerName, SAMPLERS } from './samplers.js';
import {
  IsBaseUrl,
  IsBoolean,
  IsCidrList,
  IsFurtherListenAddress,
  IsHeaderName,
  IsHttpUrl,
  IsHttpUrlOrOff,
  IsListenAddress,
  IsOriginList,
  IsProxyUrl,
  IsRatio,
  IsRedisUrl,
  IsSharedSecret,
  IsStatusList,
  WholeNumber,
} from './validators.js';

const REDIS = ['STICKY_STORE', 'redis'] as const;

/**
 * The environment as the router reads it: one field per variable, with its default and its rule.
 * Durations are in milliseconds (`_MS`) or seconds (`_SECS`).
 */
export class Environment {
  @IsListenAddress() LISTEN_ADDR = '0.0.0.0:8080';
  @IsFurtherListenAddress('LISTEN_ADDR') ADMIN_LISTEN_ADDR = '';

  @IsBaseUrl() BACKEND_BASE_URL = 'https://llm.chutes.ai';
  @IsBaseUrl({ canBeOff: true }) RESPONSES_BASE_URL = 'https://responses.chutes.ai';
  @IsBaseUrl({ canBeOff: true }) MESSAGES_BASE_URL = 'https://claude.chutes.ai';
  @IsHttpUrl() MODELS_URL = 'https://llm.chutes.ai/v1/models';
  @WholeNumber() MODELS_REFRESH_MS = 300_000;
  @IsHttpUrl() UTILIZATION_URL = 'https://api.chutes.ai/chutes/utilization';
  @WholeNumber() UTILIZATION_REFRESH_MS = 5_000;
  @IsHttpUrlOrOff() STATS_URL = 'https://api.chutes.ai/invocations/stats/llm';
  @WholeNumber() STATS_REFRESH_MS = 600_000;
  @IsBaseUrl() EVIDENCE_BASE_URL = 'https://api.chutes.ai';
  @WholeNumber() CONTROL_PLANE_TIMEOUT_MS = 10_000;

  @IsProxyUrl() HTTPS_PROXY = '';
  @IsProxyUrl() HTTP_PROXY = '';
  NO_PROXY = '';

  @WholeNumber() READYZ_MAX_SNAPSHOT_AGE_MS = 20_000;
  @WholeNumber() READYZ_MAX_ALLOWLIST_AGE_MS = 600_000;

  @AreAliases() AUTOPILOT_ALIASES = 'chutesai/AutoPilot,chutesai-routing/AutoPilot';
  @IsBoolean() CAPABILITY_ROUTING = true;
  @IsBoolean() REQUIRE_TEE = false;
  @IsIn(['strict', 'lenient'], { message: 'MODEL_VALIDATION must be strict or lenient' })
  MODEL_VALIDATION: 'strict' | 'lenient' = 'strict';

  @WholeNumber() MAX_REQUEST_BYTES = 33_554_432;
  @WholeNumber({ max: Number.MAX_SAFE_INTEGER }) MAX_INFLIGHT_BODY_BYTES = 536_870_912;
  @WholeNumber() REQUEST_HEADERS_TIMEOUT_MS = 15_000;
  @WholeNumber() REQUEST_BODY_TIMEOUT_MS = 60_000;
  @WholeNumber() MAX_CLIENT_CONNECTIONS = 8_192;
  @WholeNumber({ min: 0 }) OVERLOAD_LAG_MS = 500;

  @WholeNumber() MAX_MODEL_LIST_ITEMS = 8;
  @WholeNumber() MAX_UPSTREAM_ATTEMPTS = 8;
  @WholeNumber() FAILOVER_DEADLINE_MS = 180_000;
  @WholeNumber() UPSTREAM_CONNECT_TIMEOUT_MS = 2_000;
  @WholeNumber() UPSTREAM_HEADER_TIMEOUT_MS = 30_000;
  @WholeNumber() UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS = 30_000;
  @WholeNumber() UPSTREAM_PATIENT_TIMEOUT_MS = 620_000;
  @WholeNumber({ min: 0 }) UPSTREAM_IDLE_TIMEOUT_MS = 300_000;
  @WholeNumber({ min: 0 }) CLIENT_STALL_TIMEOUT_MS = 300_000;
  @IsStatusList() UPSTREAM_RETRYABLE_STATUSES = '502,503,504';
  @IsBoolean() FAILOVER_ON_CAPACITY = false;
  @IsBoolean() RETRY_EMPTY_ANSWERS = false;
  @WholeNumber({ min: 0 }) COOLDOWN_FAILURES = 3;
  @WholeNumber() COOLDOWN_MS = 15_000;
  @WholeNumber() COOLDOWN_MAX_MS = 120_000;
  @WholeNumber({ min: 0 }) CAPACITY_AVOID_SECS = 30;
  @IsBoolean() LEARNED_DEADLINES = true;
  @WholeNumber({ min: 0, max: 86_400 }) SSE_KEEPALIVE_SECS = 0;
  @IsIn(['upstream', 'openai'], { message: 'ERROR_SHAPE must be upstream or openai' })
  ERROR_SHAPE: 'upstream' | 'openai' = 'upstream';
  @WholeNumber() UPSTREAM_MAX_CONNECTIONS = 1_024;
  @WholeNumber() UPSTREAM_CONNECTION_MAX_AGE_MS = 300_000;

  @IsIn(['memory', 'redis'], { message: 'STICKY_STORE must be memory or redis' })
  STICKY_STORE: 'memory' | 'redis' = 'memory';
  @IsRedisUrl({ neededWith: REDIS }) REDIS_URL = '';
  @WholeNumber() REDIS_TIMEOUT_MS = 25;
  @WholeNumber({ min: 0 }) STICKY_TTL_SECS = 1_800;
  @WholeNumber({ min: 0, max: 10_000_000 }) STICKY_MAX_ENTRIES = 10_000;
  @WholeNumber({ min: 0 }) STICKY_FAILBACK_SECS = 30;
  @IsHeaderName() STICKY_SESSION_HEADER = 'x-session-id';
  @IsIn(['client', 'conversation'], { message: 'STICKY_SCOPE must be client or conversation' })
  STICKY_SCOPE: 'client' | 'conversation' = 'client';
  @IsSharedSecret({ neededWith: REDIS }) STICKY_HASH_SECRET = '';

  @IsBoolean() TRUST_PROXY_HEADERS = false;
  @IsCidrList({ neededWith: ['TRUST_PROXY_HEADERS', true] }) TRUSTED_PROXY_CIDRS = '';

  @WholeNumber({ min: 0 }) SHUTDOWN_DRAIN_MS = 5_000;
  @WholeNumber({ min: 0 }) SHUTDOWN_GRACE_MS = 30_000;

  @IsBoolean() STATUS_PAGE = true;

  @IsOriginList() CORS_ALLOWED_ORIGINS = '';

  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    message: "LOG_LEVEL must be one of pino's levels or silent",
  })
  LOG_LEVEL = 'info';

  // OpenTelemetry's own variables. Its exporter reads further ones by itself (headers, timeout, certificates), its resource the name
  // and attributes of the service.
  @IsHttpUrl({ isOptional: true }) OTEL_EXPORTER_OTLP_ENDPOINT = '';
  @IsHttpUrl({ isOptional: true }) OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = '';
  @IsIn(['http/protobuf'], { message: 'OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf' })
  OTEL_EXPORTER_OTLP_PROTOCOL = 'http/protobuf';
  @IsIn(SAMPLERS, { message: "OTEL_TRACES_SAMPLER must be one of OpenTelemetry's built-in samplers" })
  OTEL_TRACES_SAMPLER: SamplerName = 'parentbased_always_on';
  @IsRatio() OTEL_TRACES_SAMPLER_ARG = '1';
  @IsBoolean() OTEL_SDK_DISABLED = false;
}
