import { Inject, Injectable } from '@nestjs/common';
import { type Abilities, needSet, type RequestNeeds } from '../catalog/abilities.js';
import { CatalogService } from '../catalog/catalog.service.js';
import { EMPTY_MODEL_LIST } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { RankingService } from '../ranking/ranking.service.js';
import { AliasBook, type AliasRef } from './alias-book.js';
import type { Candidate } from './candidate.js';
import { type CandidateSettings, candidatesFor } from './candidates.js';
import { Decision } from './decision.js';
import { catalogIdOf } from './model-name.js';
import type { Exclusion } from './pool.js';
import { type Route, routeOf, type RouteSettings } from './route.js';
import { EMPTY_SNAPSHOT, RoutingSnapshot } from './routing-snapshot.js';
import type { ClientPoint } from './spread.js';

const TEE = needSet('tee');

/** What an alias makes of the catalog. */
export interface Overview {
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly Exclusion[];
}

/** Decides which models may answer a request, by the one snapshot that is made anew when a feed or a measurement changes. */
@Injectable()
export class RoutingService {
  snapshot = EMPTY_SNAPSHOT;

  private readonly settings: RouteSettings & CandidateSettings;
  private readonly isByAbility: boolean;

  constructor(
    @Inject(CONFIG) { routing }: Config,
    private readonly catalog: CatalogService,
    private readonly ranking: RankingService,
  ) {
    this.isByAbility = routing.isByAbility;
    this.settings = {
      ...routing,
      aliases: new AliasBook(routing.aliases),
      isModel: (name) => this.snapshot.catalog.byId.has(name),
    };
    catalog.changes.subscribe(() => this.renew());
    ranking.firstTokensMoved.subscribe(() => this.renew(this.snapshot));
  }

  /** @throws {ApiError} `invalid_model`, `invalid_model_list`, `unknown_model` */
  route(modelValue: string): Route {
    return routeOf(modelValue, this.settings);
  }

  /**
   * @param wantsTee whether the request's headers ask for a trusted execution environment
   * @param client who asks, for aliases that spread their clients
   * @throws {ApiError} `unknown_model`, `no_candidates`, `no_capable_model`, `not_confidential`
   */
  decide(route: Route, asked: RequestNeeds, wantsTee: boolean, client?: ClientPoint): Decision {
    const { needs, promptBytes, answerTokens } = asked;
    const tee = wantsTee || this.settings.requireTee ? TEE : 0;
    const told = { needs: needs | tee, promptBytes, answerTokens };
    const counted = this.isByAbility ? told : { needs: tee, promptBytes: 0, answerTokens: 0 };
    const chosen = candidatesFor(route, counted, this.snapshot, this.settings, client);
    return new Decision(route, told, counted, chosen, this.snapshot);
  }

  /** Whom of the catalog an alias chooses from for a request that needs nothing, in its order, and who is out, and why. */
  overviewOf(alias: AliasRef): Overview {
    const pool = this.snapshot.poolOf(alias);
    const { candidates } = pool.choose(this.leastNeeds);
    return { candidates, excluded: pool.excluded(this.leastNeeds, this.snapshot.catalog) };
  }

  /** What the models can that may answer for each alias, whatever else a request needs. */
  abilitiesByAlias(): readonly (readonly [alias: string, pool: readonly Abilities[]])[] {
    return this.settings.aliases.plain.map((ref) => {
      const { candidates } = this.snapshot.poolOf(ref).choose(this.leastNeeds);
      return [ref.alias, candidates.flatMap(({ ranked }) => ranked?.abilities ?? [])];
    });
  }

  /** What metrics and log call a model: its id in the catalog, or `other`. */
  labelOf(model: string): string {
    return catalogIdOf(model, this.snapshot.catalog) ?? 'other';
  }

  /** What every request needs, whatever it asks for. */
  private get leastNeeds(): RequestNeeds {
    return { needs: this.settings.requireTee ? TEE : 0, promptBytes: 0, answerTokens: 0 };
  }

  /** @param before given where no feed has changed, and only measurements may have */
  private renew(before?: RoutingSnapshot): void {
    const models = this.catalog.models.last?.value ?? EMPTY_MODEL_LIST;
    this.snapshot = new RoutingSnapshot(this.ranking.eligible(), models, this.settings.aliases.plain, before);
  }
}
