import { Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { eligibleModels } from './eligible.js';
import type { RankedModel } from './ranked-model.js';

/** Says of each model that may be chosen what it can be ordered by. */
@Injectable()
export class RankingService {
  constructor(private readonly catalog: CatalogService) {}

  /** The eligible models, as the feeds last had them; made anew at each call. */
  eligible(): readonly RankedModel[] {
    return eligibleModels(this.catalog.utilization.last?.value, this.catalog.models.last?.value);
  }
}
