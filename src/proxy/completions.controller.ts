import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counted } from '../telemetry/request-telemetry.service.js';
import { ProxyService } from './proxy.service.js';

@Controller('v1')
export class CompletionsController {
  constructor(private readonly proxy: ProxyService) {}

  @Post(['chat/completions', 'completions'])
  @Counted()
  complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.proxy.answer(request, reply);
  }
}
