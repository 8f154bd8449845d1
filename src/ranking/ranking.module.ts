import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { RankingService } from './ranking.service.js';

@Module({ imports: [CatalogModule], providers: [RankingService], exports: [RankingService] })
export class RankingModule {}
