import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { FIRST_TOKEN_MEDIANS, NO_MEDIANS } from './first-token-medians.js';
import { RankingService } from './ranking.service.js';

@Module({
  imports: [CatalogModule],
  providers: [RankingService, { provide: FIRST_TOKEN_MEDIANS, useValue: NO_MEDIANS }],
  exports: [RankingService],
})
export class RankingModule {}
