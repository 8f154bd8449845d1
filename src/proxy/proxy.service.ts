import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiExceptionFilter } from '../http-edge/api-exception.filter.js';
import { RankingService } from '../ranking/ranking.service.js';
import type { ClientKey } from '../sticky/client-key.js';
import type { Pin } from '../sticky/pin.js';
import { StickyService } from '../sticky/sticky.service.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { RequestRecord } from '../request/request-record.js';
import { asHeaderValue, toUpstreamHeaders } from '../upstream/headers.js';
import { RelayService } from '../upstream/relay.service.js';
import type { UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import { AttemptsService, type Selected } from './attempts.service.js';
import { pinnedFirst } from '../routing/candidate-order.js';
import { candidatesFor, catalogIdOf } from '../routing/candidates.js';
import { HeldBody } from '../reading/held-body.js';
import { type Asked, readAsked } from '../reading/asked.js';
import { RequestBodyService } from '../reading/request-body.service.js';
import { routeOf } from '../routing/route.js';
import { upstreamBody } from '../reading/upstream-body.js';

/** After it a body that came along with its headers, as small ones mostly do, is there. */
const parsersTurn = Promise.resolve();

/** The walk of one request: read, route, choose, stick, attempt, relay. */
@Injectable()
export class ProxyService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly bodies: RequestBodyService,
    private readonly ranking: RankingService,
    private readonly sticky: StickyService,
    private readonly attempts: AttemptsService,
    private readonly relays: RelayService,
    private readonly metrics: MetricsService,
    private readonly failures: ApiExceptionFilter,
  ) {}

  /** @param path of the endpoint, without the query. */
  async answer(record: RequestRecord, path: string): Promise<void> {
    let body: HeldBody | undefined;
    let key: ClientKey | undefined;
    let pin: Pin | undefined;
    try {
      // A body without a length has no end yet, and what the parser says of it is to be heard.
      if (record.request.headers['content-length'] !== undefined) await parsersTurn;
      const reading = this.bodies.read(record);
      body = reading instanceof HeldBody ? reading : await reading;
      if (!body) return;

      const readAtMs = performance.now();
      record.phase = 'waiting';
      const asked = readAsked(body.pieces);
      const candidates = this.candidatesFor(asked, record);
      key = record.mode === 'direct' ? undefined : this.sticky.keyOf(record.request, asked.model);
      const found = key && this.sticky.pinFor(key, candidates);
      pin = found instanceof Promise ? await found : found;

      this.metrics.firstAttemptStarted(record.mode, performance.now() - readAtMs);
      const order = pinnedFirst(candidates, pin?.model);
      const requestFor = this.requestsFor(record, path, body, asked);
      const plan = { order, isStreamed: asked.stream, readAtMs, requestFor };
      const attempts = this.attempts.begin(plan, record);
      while (!attempts.isOver) attempts.judge(await attempts.outcome);
      const { selected } = attempts;
      if (key) this.settlePin(key, pin, selected, record);
      if (selected) this.relay(selected, key, record);
    } catch (error) {
      if (key && pin && record.failovers.length > 0) this.sticky.failed(key, pin.model);
      this.failures.answer(error, record);
    } finally {
      body?.release();
    }
  }

  private candidatesFor({ model }: Asked, record: RequestRecord): readonly ModelId[] {
    const route = routeOf(model, this.config.routing);
    record.mode = route.mode;
    const candidates = candidatesFor(route, this.ranking.snapshot, this.config.routing);
    record.candidates = candidates.length;
    return candidates;
  }

  /** The requests differ in the value of `model` alone; a request that names the model itself goes as it came. */
  private requestsFor(
    { request, id }: RequestRecord,
    path: string,
    held: HeldBody,
    asked: Asked,
  ): (model: ModelId) => UpstreamRequest {
    const { origin, path: prefix } = this.config.backend;
    const url = request.url as string;
    const query = url.indexOf('?');
    const target = prefix + path + (query === -1 ? '' : url.slice(query));
    const headers = toUpstreamHeaders(request.rawHeaders, id);
    return (model) => {
      const body = upstreamBody(held, asked, model);
      return { origin, path: target, method: 'POST', headers, body };
    };
  }

  private settlePin(
    key: ClientKey,
    pin: Pin | undefined,
    selected: Selected | undefined,
    record: RequestRecord,
  ): void {
    if (selected && selected.answer.status < 300) {
      const { model, place } = selected;
      this.sticky.answered(key, pin, { model, isSecondChoice: record.mode === 'list' && place > 0 });
    } else if (pin && record.failovers.length > 0) {
      // Attempts stop at the first that does not fail, and the pinned model came first.
      this.sticky.failed(key, pin.model);
    }
  }

  private relay(
    { exchange, answer, model }: Selected,
    key: ClientKey | undefined,
    record: RequestRecord,
  ): void {
    record.model = catalogIdOf(model, this.ranking.snapshot.catalog) ?? 'other';
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
    this.relays.relay(exchange, answer, record, ownHeaders, () => {
      if (key) this.sticky.failed(key, model);
    });
  }
}
