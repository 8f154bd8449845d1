import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { RankingModule } from '../ranking/ranking.module.js';
import { RoutingService } from './routing.service.js';

@Module({ imports: [CatalogModule, RankingModule], providers: [RoutingService], exports: [RoutingService] })
export class RoutingModule {}
