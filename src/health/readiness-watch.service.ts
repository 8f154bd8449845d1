import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { ageMs } from '../catalog/snapshot.js';
import { CONFIG, type Config } from '../config/config.js';
import { RoutingService } from '../routing/routing.service.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { tightIntervals } from './readiness.js';

/** Shows at each scrape what readiness goes by, and warns at start of settings that make it dip. */
@Injectable()
export class ReadinessWatch implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly catalog: CatalogService,
    private readonly routing: RoutingService,
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
    const { catalog, routing, metrics } = this;
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
    metrics.gaugeAtScrape('ready_candidates', 'Eligible models.', () => routing.snapshot.eligible.length);
    metrics.gaugeAtScrape(
      'ready_allowlist_size',
      'Models in the catalog.',
      () => catalog.models.last?.value.models.length ?? 0,
    );
  }
}
