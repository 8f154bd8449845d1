import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CatalogService } from '../catalog/catalog.service.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { Counted } from '../telemetry/request-telemetry.service.js';
import { type AttemptClock, patientClock } from '../upstream/attempt-clock.js';
import { toUpstreamHeaders } from '../upstream/header-policy.js';
import { RelayService } from '../upstream/relay.service.js';
import type { UpstreamClient } from '../upstream/upstream.client.js';
import type { UpstreamRequest } from '../upstream/upstream-exchange.client.js';
import { chuteIdOf, nonceOf } from './evidence-target.js';
import { EVIDENCE_UPSTREAM } from './evidence-upstream.js';

/** TEE evidence: the question is checked here, the answer is the upstream's. */
@Controller('chutes')
export class EvidenceController {
  private readonly clock: AttemptClock;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly catalog: CatalogService,
    @Inject(EVIDENCE_UPSTREAM) private readonly upstream: UpstreamClient,
    private readonly relays: RelayService,
    private readonly metrics: MetricsService,
  ) {
    this.clock = patientClock(config.catalog.timeoutMs);
  }

  @Get(':chute/evidence')
  @Counted()
  async evidence(
    @Param('chute') chute: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { record } = request;
    // The answer is relayed past Fastify.
    reply.hijack();
    const nonce = nonceOf(queryOf(request.raw.url ?? ''));
    const chuteId = chuteIdOf(chute, this.catalog.models.last?.value);

    record.phase = 'waiting';
    const { origin, path } = this.config.evidenceBackend;
    const asked: UpstreamRequest = {
      origin,
      path: `${path}/chutes/${encodeURIComponent(chuteId)}/evidence?nonce=${nonce}`,
      method: 'GET',
      headers: toUpstreamHeaders(request.raw.rawHeaders, record.id),
    };
    record.trace?.attempted(asked);
    const exchange = this.upstream.open(asked, this.clock, { client: record, opensAtHeaders: true });
    const outcome = await exchange.outcome;
    switch (outcome.kind) {
      case 'opened':
        record.trace?.answered(outcome.status);
        record.model = this.modelOf(chuteId) ?? 'other';
        this.metrics.answerSelected(record.model, outcome.status);
        this.relays.relay(exchange, outcome, record);
        break;
      case 'failed':
        record.failovers.push(outcome.reason);
        record.trace?.failed(outcome.reason);
        this.metrics.attemptFailed(outcome.reason);
        throw ApiError.upstream(outcome.reason);
      case 'overloaded':
        throw ApiError.overloaded();
      case 'abandoned':
      // Nobody waits for an answer.
    }
  }

  private modelOf(chuteId: string): string | undefined {
    const id = chuteId.toLowerCase();
    return this.catalog.models.last?.value.models.find((model) => model.chuteId?.toLowerCase() === id)?.id;
  }
}

/** All that follows the first question mark: a further one belongs to the query. */
function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}
