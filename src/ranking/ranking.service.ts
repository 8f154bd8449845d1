import { Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { EMPTY_MODEL_LIST, type ModelId, type ModelList } from '../catalog/model-list.js';
import { rank } from './rank.js';

/** All that routing reads of the world. Immutable; replaced as a whole. */
export interface RoutingSnapshot {
  /** The eligible models, best first. */
  readonly ranked: readonly ModelId[];
  /** Empty while no model list has been loaded. */
  readonly catalog: ModelList;
}

/** Keeps the one snapshot that requests read, made anew when either feed changes. */
@Injectable()
export class RankingService {
  snapshot: RoutingSnapshot = { ranked: [], catalog: EMPTY_MODEL_LIST };

  constructor(private readonly catalog: CatalogService) {
    catalog.changes.subscribe(() => this.rerank());
  }

  private rerank(): void {
    const models = this.catalog.models.last?.value;
    const rows = this.catalog.utilization.last?.value;
    this.snapshot = { ranked: rank(rows, models), catalog: models ?? EMPTY_MODEL_LIST };
  }
}
