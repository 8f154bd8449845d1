import { Inject, Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { EMPTY_MODEL_LIST, type ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { FirstTokensService } from '../ranking/first-tokens.service.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { IsCooling } from './candidate-order.js';
import {
  afterFailure,
  afterFirstByte,
  afterNothing,
  afterStart,
  afterSuccess,
  type Attempt,
  attemptAt,
  type Cooldown,
  cooldownAt,
  type CooldownSettings,
  coolsUntil,
  isCooling,
  type ModelHealth,
} from './cooldown.js';
import { catalogIdOf } from './model-name.js';

/** Clients can make up names where the catalog does not decide. The one that failed the longest ago is forgotten first. */
const MAX_REMEMBERED = 1_000;

/** Remembers which models have just failed. Attempts report here; whoever orders candidates asks here. */
@Injectable()
export class ModelHealthService {
  /** Of models that have failed since their last success, by their ids in the catalog; the one that failed last is last. */
  private readonly known = new Map<string, ModelHealth>();
  /** From this moment on none cools. */
  private noneFromMs = -Infinity;
  private readonly settings: CooldownSettings;

  constructor(
    @Inject(CONFIG) { cooldown }: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly catalog: CatalogService,
    private readonly metrics: MetricsService,
    private readonly firstTokens: FirstTokensService,
  ) {
    this.settings = cooldown;
    metrics.gaugeAtScrape('cooling_models', 'Models that come last, since they have just failed.', () =>
      this.count(),
    );
  }

  /** Says of a model whether others are to be tried first; `undefined` while that holds for none. */
  get cooling(): IsCooling | undefined {
    return this.noneFromMs !== -Infinity && performance.now() < this.noneFromMs ? this.isCooling : undefined;
  }

  /** For those who look at it. @returns `undefined` where the model does not cool */
  cooldownOf(model: string, nowMs: number): Cooldown | undefined {
    return cooldownAt(this.known.get(this.keyOf(model)), nowMs);
  }

  /** An attempt begins. @returns what it is to be reported with */
  begin(model: ModelId): Attempt {
    const key = this.known.size === 0 ? undefined : this.keyOf(model);
    const health = key === undefined ? undefined : this.known.get(key);
    const attempt = attemptAt(health, performance.now());
    if (key !== undefined && health && isProbe(attempt)) this.put(key, afterStart(health, attempt));
    return attempt;
  }

  /** A stream has begun. */
  answering(model: ModelId): void {
    if (this.known.size === 0) return;
    const key = this.keyOf(model);
    const health = this.known.get(key);
    if (health) this.known.set(key, afterFirstByte(health));
  }

  /** An answer has ended well. @param firstByteMs of a streamed one, from the sending of the request on */
  succeeded(model: ModelId, attempt: Attempt, firstByteMs: number | undefined): void {
    if (firstByteMs !== undefined) this.observe(model, firstByteMs);
    if (isProbe(attempt)) this.metrics.probeEnded('ok');
    if (this.known.size === 0) return;
    const key = this.keyOf(model);
    const health = this.known.get(key);
    if (!health) return;
    const after = afterSuccess(health, attempt);
    if (after) {
      this.known.set(key, after);
      return;
    }
    this.known.delete(key);
    if (health.cooldowns > 0) {
      this.noneFromMs = Math.max(-Infinity, ...[...this.known.values()].map(coolsUntil));
      const { cooldowns } = health;
      this.logger.info({ model: this.labelOf(key), cooldowns, reason: 'answered' }, 'model well again');
    }
  }

  /** An attempt has failed. @param reason for the log: a code, nothing of the request or the answer */
  failed(model: ModelId, attempt: Attempt, reason: string, isBroken = false): void {
    if (this.settings.failures === 0) return;
    if (isProbe(attempt)) this.metrics.probeEnded('failed');
    const key = this.keyOf(model);
    const before = this.known.get(key);
    const nowMs = performance.now();
    const failure = { atMs: nowMs, isBroken };
    const after = afterFailure(before, attempt, failure, this.settings, Math.random());
    this.known.delete(key);
    if (this.known.size === MAX_REMEMBERED) this.forgetOne();
    this.put(key, after);
    const { cooldowns, coolUntilMs } = after;
    if (cooldowns === (before?.cooldowns ?? 0)) return;
    const label = this.labelOf(key);
    this.metrics.cooldownBegun(label);
    this.logger.warn(
      { model: label, reason, cooldowns, cooldown_ms: Math.round(coolUntilMs - nowMs) },
      'model cooling',
    );
  }

  /** An answer has broken that had begun well. */
  broke(model: ModelId, attempt: Attempt): void {
    this.failed(model, attempt, 'upstream_stream_interrupted', true);
  }

  /** An attempt has ended without a word on its model. */
  ended(model: ModelId, attempt: Attempt): void {
    if (!isProbe(attempt)) return;
    const key = this.keyOf(model);
    const health = this.known.get(key);
    if (health) this.known.set(key, afterNothing(health, attempt));
  }

  private observe(model: ModelId, firstByteMs: number): void {
    const id = catalogIdOf(model, this.models);
    if (id !== undefined) this.firstTokens.observe(id, firstByteMs);
  }

  private readonly isCooling: IsCooling = (model) =>
    isCooling(this.known.get(this.keyOf(model)), performance.now());

  private put(key: string, health: ModelHealth): void {
    this.known.set(key, health);
    this.noneFromMs = Math.max(this.noneFromMs, coolsUntil(health));
  }

  private forgetOne(): void {
    for (const key of this.known.keys()) {
      this.known.delete(key);
      return;
    }
  }

  /** Once there is a catalog, names that it does not have are not counted: what is made up is no part of the fleet. */
  private count(): number {
    const nowMs = performance.now();
    const { byId } = this.models;
    const isCounted = ([key, health]: readonly [string, ModelHealth]) =>
      (byId.size === 0 || byId.has(key)) && isCooling(health, nowMs);
    return [...this.known].filter(isCounted).length;
  }

  private keyOf(model: string): string {
    return catalogIdOf(model, this.models) ?? model;
  }

  private labelOf(key: string): string {
    return this.models.byId.has(key) ? key : 'other';
  }

  private get models() {
    return this.catalog.models.last?.value ?? EMPTY_MODEL_LIST;
  }
}

function isProbe({ probesAfterMs }: Attempt): boolean {
  return probesAfterMs !== undefined;
}
