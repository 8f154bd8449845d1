import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { needsIn } from '../catalog/abilities.js';
import { CONFIG, type Config } from '../config/config.js';
import { FailureService } from '../http-edge/failure.service.js';
import { readAsked } from '../reading/asked.js';
import { HeldBody } from '../reading/held-body.js';
import { RequestBodyService } from '../reading/request-body.service.js';
import type { RequestRecord } from '../request/request-record.js';
import { candidateOrder } from '../routing/candidate-order.js';
import type { Decision } from '../routing/decision.js';
import { RoutingService } from '../routing/routing.service.js';
import type { PinHold } from '../sticky/pin-hold.js';
import { clientPoint, isSpread } from '../routing/spread.js';
import { keyMaterial } from '../sticky/client-key.js';
import { StickyService } from '../sticky/sticky.service.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { asHeaderValue } from '../upstream/headers.js';
import { RelayService } from '../upstream/relay.service.js';
import { AttemptsService, type Selected } from './attempts.service.js';
import { DryRunService, isDryRun } from './dry-run.service.js';
import { upstreamRequests } from './upstream-requests.js';

/** After it a body that came along with its headers, as small ones mostly do, is there. */
const parsersTurn = Promise.resolve();

/** Whether a request is for a trusted execution environment alone, as Chutes itself is told. */
function wantsTee({ headers }: IncomingMessage): boolean {
  const value = headers['x-tee-only'];
  return typeof value === 'string' && value.toLowerCase() === 'true';
}

/** The walk of one request: read, decide, stick, attempt, relay. */
@Injectable()
export class ProxyService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly bodies: RequestBodyService,
    private readonly routing: RoutingService,
    private readonly sticky: StickyService,
    private readonly dryRuns: DryRunService,
    private readonly attempts: AttemptsService,
    private readonly relays: RelayService,
    private readonly metrics: MetricsService,
    private readonly failures: FailureService,
  ) {}

  /** @param path of the endpoint, without the query. */
  async answer(record: RequestRecord, path: string): Promise<void> {
    let body: HeldBody | undefined;
    try {
      // A body without a length has no end yet, and what the parser says of it is to be heard.
      if (record.request.headers['content-length'] !== undefined) await parsersTurn;
      const reading = this.bodies.read(record);
      body = reading instanceof HeldBody ? reading : await reading;
      if (!body) return;

      const readAtMs = performance.now();
      record.phase = 'waiting';
      const asked = readAsked(body.pieces);
      record.trace?.asked(asked.model);
      const route = this.routing.route(asked.model);
      record.mode = route.mode;
      // Whoever names one model stays on it anyway.
      const client =
        route.mode === 'direct' ? undefined : this.sticky.clientOf(record.request, body.pieces, asked);
      const point = client && isSpread(route) ? clientPoint(keyMaterial(client)) : undefined;
      const decision = this.routing.decide(route, asked, wantsTee(record.request), point);
      this.note(decision, record);

      const holding = client && this.sticky.hold(client, asked, decision.candidates);
      const pin = holding instanceof Promise ? await holding : holding;
      const order = candidateOrder(decision.candidates, pin?.model);
      record.isPinned = order.pinnedAt !== -1;
      if (isDryRun(record.request)) {
        const found = client && (await this.sticky.describe(client, asked, decision.candidates));
        return this.dryRuns.answer(record, decision, order, found);
      }

      this.metrics.firstAttemptStarted(record.mode, performance.now() - readAtMs);
      const requestFor = upstreamRequests(this.config.backend, record, path, body, asked);
      const plan = { order, isStreamed: asked.stream, readAtMs, requestFor, watcher: pin };
      const selected = await this.attempts.run(plan, record);
      if (selected) this.relay(selected, pin, record);
    } catch (error) {
      this.failures.answer(error, record);
    } finally {
      body?.release();
    }
  }

  private note({ route, asked, candidates, left }: Decision, record: RequestRecord): void {
    record.candidates = candidates.length;
    record.needs = needsIn(asked.needs);
    if (route.mode === 'alias') {
      record.alias = route.alias.alias;
      record.sort = route.alias.policy.sort;
    }
    for (const [reason, models] of left) this.metrics.modelsExcluded(reason, models);
  }

  private relay(
    { exchange, answer, model, place }: Selected,
    pin: PinHold | undefined,
    record: RequestRecord,
  ): void {
    pin?.onAnswered({ model, isSecondChoice: record.mode === 'list' && place > 0 }, answer.status);
    record.model = this.routing.labelOf(model);
    this.metrics.answerSelected(record.model, answer.status);
    const ownHeaders =
      record.mode === 'direct'
        ? []
        : [
            'x-chutes-autopilot-selected',
            asHeaderValue(model),
            'x-chutes-autopilot-attempts',
            String(record.attempts),
          ];
    this.relays.relay(exchange, answer, record, ownHeaders, () => pin?.onFailed(model));
  }
}
