import { Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { rank } from './rank.js';
import type { RankedModel } from './ranked-model.js';

/** Ranks what the feeds last said. */
@Injectable()
export class RankingService {
  constructor(private readonly catalog: CatalogService) {}

  /** The eligible models, best first; made anew at each call. */
  rank(): readonly RankedModel[] {
    return rank(this.catalog.utilization.last?.value, this.catalog.models.last?.value);
  }
}
