import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { FIRST_TOKEN_MEDIANS } from './first-token-medians.js';
import { FirstTokensService } from './first-tokens.service.js';
import { RankingService } from './ranking.service.js';

@Module({
  imports: [CatalogModule],
  providers: [
    RankingService,
    FirstTokensService,
    { provide: FIRST_TOKEN_MEDIANS, useExisting: FirstTokensService },
  ],
  exports: [RankingService, FirstTokensService],
})
export class RankingModule {}
