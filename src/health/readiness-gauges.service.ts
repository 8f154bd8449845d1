import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { ageMs } from '../catalog/snapshot.js';
import { RoutingService } from '../routing/routing.service.js';
import { MetricsService } from '../telemetry/metrics.service.js';

/** Shows at each scrape what readiness goes by. */
@Injectable()
export class ReadinessGauges implements OnModuleInit {
  constructor(
    private readonly catalog: CatalogService,
    private readonly routing: RoutingService,
    private readonly metrics: MetricsService,
  ) {}

  onModuleInit(): void {
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
    metrics.gaugeAtScrape('ready_candidates', 'Eligible models.', () => routing.snapshot.ranked.length);
    metrics.gaugeAtScrape(
      'ready_allowlist_size',
      'Models in the catalog.',
      () => catalog.models.last?.value.models.length ?? 0,
    );
  }
}
