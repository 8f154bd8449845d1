import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Door } from '../http-edge/doors.js';
import { FailureService } from '../http-edge/failure.service.js';
import { readAsked } from '../reading/asked.js';
import { HeldBody } from '../reading/held-body.js';
import { RequestBodyService } from '../reading/request-body.service.js';
import type { RequestRecord } from '../request/request-record.js';
import { candidateOrder } from '../routing/candidate-order.js';
import { ModelHealthService } from '../routing/model-health.service.js';
import { RoutingService } from '../routing/routing.service.js';
import type { PinHold } from '../sticky/pin-hold.js';
import { clientPoint, isSpread } from '../routing/spread.js';
import { keyMaterial } from '../sticky/client-key.js';
import { StickyService } from '../sticky/sticky.service.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { RelayService } from '../upstream/relay.service.js';
import { AttemptsService, type Selected } from './attempts.service.js';
import { DryRunService, isDryRun } from './dry-run.service.js';
import { LongSilenceService } from './long-silence.service.js';
import { noteDecision } from './note-decision.js';
import { selectedHeaders } from './selected-headers.js';
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
    private readonly bodies: RequestBodyService,
    private readonly routing: RoutingService,
    private readonly health: ModelHealthService,
    private readonly sticky: StickyService,
    private readonly dryRuns: DryRunService,
    private readonly attempts: AttemptsService,
    private readonly silences: LongSilenceService,
    private readonly relays: RelayService,
    private readonly metrics: MetricsService,
    private readonly failures: FailureService,
  ) {}

  /** @param door where it came in */
  async answer(record: RequestRecord, door: Door): Promise<void> {
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
      noteDecision(decision, record);
      this.metrics.modelsExcluded(decision.left);

      const cooling = route.mode === 'direct' ? undefined : this.health.cooling;
      const holding = client && this.sticky.hold(client, asked, decision.candidates, cooling);
      const pin = holding instanceof Promise ? await holding : holding;
      const advice = { isCooling: cooling, avoided: pin?.avoided, pinned: pin?.model };
      const order = candidateOrder(decision.candidates, advice);
      record.isPinned = order.pinnedAt !== -1;
      if (isDryRun(record.request)) {
        const found = client && (await this.sticky.describe(client, asked, decision.candidates, cooling));
        return this.dryRuns.answer(record, decision, order, found);
      }

      this.metrics.firstAttemptStarted(record.mode, performance.now() - readAtMs);
      const requestFor = upstreamRequests(door, record, body, asked);
      const plan = { order, asked, generates: door.generates, readAtMs, requestFor, watcher: pin };
      const attempts = this.attempts.run(plan, record);
      const selected = await (asked.stream
        ? this.silences.seeThrough(record, door.dialect, attempts)
        : attempts);
      if (selected) this.relay(selected, pin, record, door);
    } catch (error) {
      this.failures.answer(error, record);
    } finally {
      body?.release();
    }
  }

  private relay(
    { exchange, answer, model, isSecondChoice, report }: Selected,
    pin: PinHold | undefined,
    record: RequestRecord,
    { dialect }: Door,
  ): void {
    pin?.onAnswered({ model, isSecondChoice }, answer.status);
    record.model = this.routing.labelOf(model);
    this.metrics.answerSelected(record.model, answer.status);
    // Whether what is told as an error was well otherwise is not followed.
    if (this.silences.takes(exchange, answer, record)) return report.onGivenUp();
    this.relays.relay(exchange, answer, record, selectedHeaders(record, model), report, dialect);
  }
}
