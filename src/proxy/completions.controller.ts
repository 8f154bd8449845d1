import { Controller, type OnModuleInit, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Door, Doors } from '../http-edge/doors.js';
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
    private readonly doors: Doors,
  ) {}

  onModuleInit(): void {
    for (const door of this.doors.open) {
      this.frontDoor.serve(door.path, (record) => void this.proxy.answer(record, door));
    }
  }

  @Post([...PROXIED_PATHS])
  @Counted()
  async complete(@Req() { record, routeOptions }: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // One that is turned off has been answered before.
    const door = this.doors.at(routeOptions.url as string) as Door;
    // The answer is relayed past Fastify.
    reply.hijack();
    await this.proxy.answer(record, door);
  }
}
