import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { RankingService } from '../ranking/ranking.service.js';
import type { ClientKey } from '../sticky/client-key.js';
import type { Pin } from '../sticky/pin.js';
import { StickyService } from '../sticky/sticky.service.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { RequestRecord } from '../telemetry/request-record.js';
import { asHeaderValue, toUpstreamHeaders } from '../upstream/headers.js';
import { RelayService } from '../upstream/relay.service.js';
import type { UpstreamRequest } from '../upstream/upstream-exchange.js';
import { type AttemptPlan, AttemptsService, type Selected } from './attempts.service.js';
import { pinnedFirst } from './candidate-order.js';
import { candidatesFor, catalogIdOf } from './candidates.js';
import type { HeldBody } from './held-body.js';
import { type ModelField, readModelField } from './model-field.js';
import { RequestBodyService } from './request-body.service.js';
import { routeOf } from './route.js';
import { upstreamBody } from './upstream-body.js';

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
  ) {}

  /** @throws {ApiError} as long as nothing has been written to the client. */
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { record } = request;
    const body = await this.bodies.read(request.raw, reply.raw, record);
    if (!body) return void reply.hijack();
    try {
      const { key, selected } = await this.select(body, request, reply, record);
      if (!selected) return void reply.hijack();
      this.relay(selected, key, reply, record);
    } finally {
      body.release();
    }
  }

  /** Everything before the commit. `selected` is missing if the client left meanwhile. */
  private async select(
    body: HeldBody,
    request: FastifyRequest,
    reply: FastifyReply,
    record: RequestRecord,
  ): Promise<{ key: ClientKey | undefined; selected: Selected | undefined }> {
    const readAtMs = performance.now();
    record.phase = 'waiting';
    const field = readModelField(body.pieces);
    const route = routeOf(field.model, this.config.routing);
    record.mode = route.mode;
    const candidates = candidatesFor(route, this.ranking.snapshot, this.config.routing);
    record.candidates = candidates.length;

    const key = route.mode === 'direct' ? undefined : this.sticky.keyOf(request, field.model);
    const pin = key && (await this.sticky.pinFor(key, candidates));
    const plan: AttemptPlan = {
      order: pinnedFirst(candidates, pin?.model),
      isStreamed: field.stream,
      readAtMs,
      requestFor: this.requestsFor(request, body, field),
    };

    this.metrics.firstAttemptStarted(route.mode, performance.now() - readAtMs);
    try {
      const selected = await this.attempts.run(plan, record);
      if (key) this.settlePin(key, pin, selected, record);
      return { key, selected };
    } catch (error) {
      if (key && pin && record.failovers.length > 0) this.sticky.failed(key, pin.model);
      if (route.mode !== 'direct' && record.attempts > 0) {
        void reply.header('x-chutes-autopilot-attempts', record.attempts);
      }
      throw error;
    }
  }

  /** The requests differ in the value of `model` alone; a request that names the model itself goes as it came. */
  private requestsFor(
    request: FastifyRequest,
    held: HeldBody,
    field: ModelField,
  ): (model: ModelId) => UpstreamRequest {
    const { origin, path: prefix } = this.config.backend;
    const url = request.raw.url as string;
    const query = url.indexOf('?');
    const path = prefix + request.routeOptions.url + (query === -1 ? '' : url.slice(query));
    const headers = toUpstreamHeaders(request.raw.rawHeaders, request.id);
    return (model) => {
      const body = upstreamBody(held, field, model);
      return { origin, path, method: 'POST', headers, body };
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
    reply: FastifyReply,
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
    this.relays.relay(exchange, answer, reply, record, ownHeaders, () => {
      if (key) this.sticky.failed(key, model);
    });
  }
}
