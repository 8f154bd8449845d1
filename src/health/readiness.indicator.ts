import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { CatalogService } from '../catalog/catalog.service.js';
import { ageMs } from '../catalog/snapshot.js';
import { CONFIG, type Config } from '../config/config.js';
import type { ReadinessCode } from '../openai/error-response.js';
import { LifecycleService } from '../lifecycle/lifecycle.service.js';
import { RoutingService } from '../routing/routing.service.js';
import { allowlistProblem, snapshotProblem } from './readiness.js';

/** What readiness is made of, in the order in which problems are reported. */
@Injectable()
export class ReadinessIndicator {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: LifecycleService,
    private readonly catalog: CatalogService,
    private readonly routing: RoutingService,
  ) {}

  process(): HealthIndicatorResult {
    return this.report('process', this.lifecycle.isStopping ? 'shutting_down' : undefined, {});
  }

  allowlist(): HealthIndicatorResult {
    const { models } = this.catalog;
    const now = performance.now();
    const problem = allowlistProblem(models, now, this.config.readiness.maxAllowlistAgeMs);
    return this.report('allowlist', problem, {
      models: models.last?.value.models.length ?? 0,
      age_ms: Math.round(ageMs(models.last, now) ?? -1),
    });
  }

  snapshot(): HealthIndicatorResult {
    const { utilization } = this.catalog;
    const candidates = this.routing.snapshot.eligible.length;
    const now = performance.now();
    const problem = snapshotProblem(utilization, candidates, now, this.config.readiness.maxSnapshotAgeMs);
    return this.report('snapshot', problem, {
      candidates,
      age_ms: Math.round(ageMs(utilization.last, now) ?? -1),
    });
  }

  private report(
    key: string,
    code: ReadinessCode | undefined,
    facts: Record<string, number>,
  ): HealthIndicatorResult {
    const check = this.indicators.check(key);
    return code ? check.down({ code, ...facts }) : check.up(facts);
  }
}
