import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CatalogModule } from '../catalog/catalog.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { HealthController } from './health.controller.js';
import { ReadinessIndicator } from './readiness.indicator.js';
import { ReadinessWatch } from './readiness-watch.service.js';

@Module({
  // A router that is not ready says so in its answer; a log line per probe would only bury the reason.
  imports: [TerminusModule.forRoot({ logger: false }), LifecycleModule, CatalogModule, RoutingModule],
  controllers: [HealthController],
  providers: [ReadinessIndicator, ReadinessWatch],
})
export class HealthModule {}
