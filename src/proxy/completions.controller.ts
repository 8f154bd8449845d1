import { Controller, type OnModuleInit, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FrontDoor } from '../http-edge/front-door.js';
import { PROXIED_PATHS } from '../openai/served-paths.js';
import { Counted } from '../telemetry/request-telemetry.service.js';
import { ProxyService } from './proxy.service.js';

/** The endpoints that are proxied: at the front door as they are mostly spelled, here in any other spelling of their paths. */
@Controller()
export class CompletionsController implements OnModuleInit {
  constructor(
    private readonly proxy: ProxyService,
    private readonly frontDoor: FrontDoor,
  ) {}

  onModuleInit(): void {
    for (const path of PROXIED_PATHS) {
      this.frontDoor.serve(path, (record) => void this.proxy.answer(record, path));
    }
  }

  @Post([...PROXIED_PATHS])
  @Counted()
  async complete(@Req() { record, routeOptions }: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // The answer is relayed past Fastify.
    reply.hijack();
    await this.proxy.answer(record, routeOptions.url as string);
  }
}
