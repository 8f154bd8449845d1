import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { FirstTokensService } from './first-tokens.service.js';
import { RankingService } from './ranking.service.js';

@Module({
  imports: [CatalogModule],
  providers: [RankingService, FirstTokensService],
  exports: [RankingService, FirstTokensService],
})
export class RankingModule {}
