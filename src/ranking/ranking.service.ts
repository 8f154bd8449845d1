import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { CatalogService } from '../catalog/catalog.service.js';
import { NO_STATISTICS } from '../catalog/statistics.js';
import { eligibleModels } from './eligible.js';
import { FIRST_TOKEN_MEDIANS, type FirstTokenMedians, NO_MEDIANS } from './first-token-medians.js';
import type { RankedModel } from './ranked-model.js';

/** Says of each model that may be chosen what it can be ordered by. */
@Injectable()
export class RankingService {
  constructor(
    private readonly catalog: CatalogService,
    @Inject(FIRST_TOKEN_MEDIANS) private readonly medians: FirstTokenMedians = NO_MEDIANS,
  ) {}

  /** Emits after the seconds to first tokens may have moved without any feed's doing; nothing else moves so. */
  get firstTokensMoved(): Observable<unknown> {
    return this.medians.changes;
  }

  /** Seconds to the first token of a model as the router itself has measured them; `undefined` while there are too few. */
  measuredTtftS(model: string): number | undefined {
    return this.medians.medianS(model);
  }

  /** The eligible models, as feeds and measurements last had them; made anew at each call. */
  eligible(): readonly RankedModel[] {
    const { utilization, models, stats } = this.catalog;
    return eligibleModels(utilization.last?.value, models.last?.value, {
      statistics: stats.last?.value ?? NO_STATISTICS,
      medianS: (model) => this.medians.medianS(model),
    });
  }
}
