import { Inject, Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { EMPTY_MODEL_LIST } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { RankingService } from '../ranking/ranking.service.js';
import { candidatesFor, catalogIdOf } from './candidates.js';
import { Decision } from './decision.js';
import { type Route, routeOf } from './route.js';
import { type RoutingSnapshot, routingSnapshot } from './routing-snapshot.js';

/** Decides which models may answer a request, by the one snapshot that is made anew when either feed changes. */
@Injectable()
export class RoutingService {
  snapshot: RoutingSnapshot = routingSnapshot([], EMPTY_MODEL_LIST);

  private readonly config: Config['routing'];

  constructor(
    @Inject(CONFIG) { routing }: Config,
    private readonly catalog: CatalogService,
    private readonly ranking: RankingService,
  ) {
    this.config = routing;
    catalog.changes.subscribe(() => this.renew());
  }

  /** @throws {ApiError} `invalid_model`, `invalid_model_list` */
  route(modelValue: string): Route {
    return routeOf(modelValue, this.config);
  }

  /** @throws {ApiError} `unknown_model`, `no_candidates` */
  decide(route: Route): Decision {
    return new Decision(route, candidatesFor(route, this.snapshot, this.config), this.snapshot);
  }

  /** What metrics and log call a model: its id in the catalog, or `other`. */
  labelOf(model: string): string {
    return catalogIdOf(model, this.snapshot.catalog) ?? 'other';
  }

  private renew(): void {
    const models = this.catalog.models.last?.value ?? EMPTY_MODEL_LIST;
    this.snapshot = routingSnapshot(this.ranking.rank(), models);
  }
}
