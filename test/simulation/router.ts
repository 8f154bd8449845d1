import type { CatalogService } from '../../src/catalog/catalog.service.ts';
import type { Config } from '../../src/config/config.ts';
import type { AttemptReports } from '../../src/proxy/attempt-reports.service.ts';
import type { ModelHealthService } from '../../src/routing/model-health.service.ts';
import type { Route } from '../../src/routing/route.ts';
import type { RoutingService } from '../../src/routing/routing.service.ts';
import type { ClientIdentity } from '../../src/sticky/client-key.ts';
import type { StickyService } from '../../src/sticky/sticky.service.ts';
import type { Asker, Chooser, Plan } from './chooser.ts';
import type { FeedReader, FeedRow } from './platform.ts';
import type { RouterPolicy } from './policies.ts';
import { RouterPlan } from './router-plan.ts';
import type { RouterCode } from './router-code.ts';

const ALIAS = 'auto';
const ASKED = { model: ALIAS, isToolResult: false };
/** So long that every prompt fits: what models can is not what is measured. */
const CONTEXT_TOKENS = 1_000_000;
/** More than there are conversations, as an operator of this size would have it. */
const PINS = 100_000;

/** Nobody looks at metrics and log. */
const nothing = (): undefined => undefined;
const METRICS = {
  stickyLookedUp: nothing,
  stickyWriteFailed: nothing,
  gaugeAtScrape: nothing,
  probeEnded: nothing,
  cooldownBegun: nothing,
} as never;
const LOGGER = { info: nothing, warn: nothing } as never;

/**
 * The router's own services, put together as in the router, without its sockets. They live by this process's clock: see
 * `inVirtualTime`.
 */
export class SimulatedRouter implements Chooser, FeedReader {
  readonly code: RouterCode;
  readonly config: Config;
  readonly reports: AttemptReports;
  readonly #catalog: CatalogService;
  readonly #routing: RoutingService;
  readonly #health: ModelHealthService;
  readonly #sticky: StickyService;
  readonly #route: Route;

  constructor(code: RouterCode, { settings, alias }: RouterPolicy, models: readonly string[]) {
    this.code = code;
    this.config = code.loadConfig({
      AUTOPILOT_ALIASES: JSON.stringify({ [ALIAS]: alias }),
      STICKY_MAX_ENTRIES: String(PINS),
      ...settings,
    });
    const { sticky } = this.config;
    this.#catalog = new code.CatalogService();
    this.#routing = new code.RoutingService(
      this.config,
      this.#catalog,
      new code.RankingService(this.#catalog),
    );
    const firstTokens = { observe: nothing } as never;
    this.#health = new code.ModelHealthService(this.config, LOGGER, this.#catalog, METRICS, firstTokens);
    this.#sticky = new code.StickyService(this.config, new code.MemoryStore(sticky), METRICS);
    this.reports = new code.AttemptReports(this.config, this.#health);

    const list = code.readModelList({ data: models.map((id) => ({ id, context_length: CONTEXT_TOKENS })) });
    if (list) this.#catalog.apply('models', { kind: 'ok', value: list.list }, 0);
    this.#route = this.#routing.route(ALIAS);
  }

  onFeed(rows: readonly FeedRow[]): string | undefined {
    const read = this.code.readUtilization(rows);
    if (read) this.#catalog.apply('utilization', { kind: 'ok', value: read.rows }, performance.now());
    return this.#routing.snapshot.eligible.length === 0 ? undefined : this.#decide(0).candidates[0]?.model;
  }

  plan(asker: Asker, nowMs: number): Plan {
    const { code } = this;
    const client = clientOf(asker);
    const point = code.isSpread(this.#route) ? code.clientPoint(code.keyMaterial(client)) : undefined;
    const { candidates } = this.#decide(asker.promptBytes, point);
    const { cooling } = this.#health;
    const pin = this.#sticky.hold(client, ASKED, candidates, cooling);
    if (pin instanceof Promise) throw new Error('Pins in memory are there at once.');
    const order = code.candidateOrder(candidates, {
      isCooling: cooling,
      avoided: pin?.avoided ?? [],
      pinned: pin?.model,
    });
    return new RouterPlan(this, order, pin, asker.promptBytes, nowMs);
  }

  #decide(promptBytes: number, client?: number) {
    return this.#routing.decide(this.#route, { needs: 0, promptBytes, answerTokens: 0 }, false, client);
  }
}

/** All have one token: with `STICKY_SCOPE=conversation` it is how their conversations begin that tells them apart. */
function clientOf({ id }: Asker): ClientIdentity {
  return {
    authorization: 'Bearer simulated',
    address: () => '',
    session: undefined,
    conversation: String(id),
  };
}
