import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CatalogService } from '../catalog/catalog.service.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import { RequestTelemetry } from '../telemetry/request-telemetry.service.js';
import type { AttemptClock } from '../upstream/attempt-clock.js';
import { toUpstreamHeaders } from '../upstream/headers.js';
import { RelayService } from '../upstream/relay.service.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import { outcomeFor } from '../upstream/upstream-exchange.js';
import { chuteIdOf, nonceOf } from './evidence-target.js';

/** TEE evidence: the question is checked here, the answer is the upstream's. */
@Controller('chutes')
export class EvidenceController {
  private readonly clock: AttemptClock;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly catalog: CatalogService,
    private readonly upstream: UpstreamClient,
    private readonly relays: RelayService,
    private readonly telemetry: RequestTelemetry,
  ) {
    this.clock = {
      ...config.attempts,
      patientTimeoutMs: config.catalog.timeoutMs,
      hasAlternative: false,
      failoverUntilMs: 0,
    };
  }

  @Get(':chute/evidence')
  async evidence(
    @Param('chute') chute: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const record = this.telemetry.begin(request, reply);
    const nonce = nonceOf(request.raw.url?.split('?', 2)[1] ?? '');
    const chuteId = chuteIdOf(chute, this.catalog.models.last?.value);

    record.phase = 'waiting';
    const { origin, path } = this.config.evidenceBackend;
    const exchange = this.upstream.open(
      {
        origin,
        path: `${path}/chutes/${encodeURIComponent(chuteId)}/evidence?nonce=${nonce}`,
        method: 'GET',
        headers: toUpstreamHeaders(request.raw.rawHeaders, request.id),
      },
      this.clock,
      { opensAtHeaders: true, onDispatch: () => (record.attempts = 1) },
    );
    const outcome = await outcomeFor(reply.raw, exchange);
    switch (outcome.kind) {
      case 'opened':
        await this.relays.relay(exchange, outcome, reply, record);
        break;
      case 'failed':
        throw ApiError.upstream(outcome.reason);
      case 'overloaded':
        throw ApiError.overloaded();
      case 'abandoned':
        reply.hijack();
    }
  }
}
