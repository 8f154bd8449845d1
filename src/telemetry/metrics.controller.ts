import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Shared } from '../runtime/shared.js';
import { MetricsService } from './metrics.service.js';

/** To render all metrics takes milliseconds, so there is a limit to how often it is done. */
const MAX_AGE_MS = 250;

@Controller()
export class MetricsController {
  private readonly text: Shared<Buffer>;

  constructor(@Inject(MetricsService) private readonly metrics: MetricsService) {
    const { registry } = metrics;
    this.text = new Shared(async () => Buffer.from(await registry.metrics()), MAX_AGE_MS);
  }

  @Get()
  async scrape(@Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    void reply.header('content-type', this.metrics.registry.contentType);
    return this.text.get(performance.now());
  }
}
