import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CatalogService } from '../catalog/catalog.service.js';
import { ageMs } from '../catalog/snapshot.js';
import { CONFIG, type Config } from '../config/config.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { RankingModule } from '../ranking/ranking.module.js';
import { RankingService } from '../ranking/ranking.service.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { HealthController } from './health.controller.js';
import { tightIntervals } from './readiness.js';
import { ReadinessIndicator } from './readiness.indicator.js';

@Module({
  // A router that is not ready says so in its answer; a log line per probe would only bury the reason.
  imports: [TerminusModule.forRoot({ logger: false }), LifecycleModule, CatalogModule, RankingModule],
  controllers: [HealthController],
  providers: [ReadinessIndicator],
})
export class HealthModule implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly catalog: CatalogService,
    private readonly ranking: RankingService,
    private readonly metrics: MetricsService,
  ) {}

  onModuleInit(): void {
    this.exposeGauges();
    for (const { interval, limit } of tightIntervals(this.config)) {
      this.logger.warn(
        { interval, limit },
        `${interval} is above half of ${limit}: one missed refresh makes /readyz 503`,
      );
    }
  }

  private exposeGauges(): void {
    const { catalog, ranking, metrics } = this;
    metrics.gaugeAtScrape(
      'ready_snapshot_age_ms',
      'Age of the utilization, -1 while there is none.',
      () => ageMs(catalog.utilization.last, performance.now()) ?? -1,
    );
    metrics.gaugeAtScrape(
      'ready_allowlist_age_ms',
      'Age of the model list, -1 while there is none.',
      () => ageMs(catalog.models.last, performance.now()) ?? -1,
    );
    metrics.gaugeAtScrape('ready_candidates', 'Eligible models.', () => ranking.snapshot.ranked.length);
    metrics.gaugeAtScrape(
      'ready_allowlist_size',
      'Models in the catalog.',
      () => catalog.models.last?.value.models.length ?? 0,
    );
  }
}
