import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { RankingModule } from '../ranking/ranking.module.js';
import { ModelHealthService } from './model-health.service.js';
import { RoutingService } from './routing.service.js';

@Module({
  imports: [CatalogModule, RankingModule],
  providers: [RoutingService, ModelHealthService],
  exports: [RoutingService, ModelHealthService],
})
export class RoutingModule {}
