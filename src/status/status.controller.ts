import { Controller, Get, Headers, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasTag } from '../request/etag.js';
import { ApiError } from '../openai/api-error.js';
import { PAGE_FILES, type PageFile } from './page-files.factory.js';
import { StatusService } from './status.service.js';
import { Watchers } from './watchers.socket.js';

/** Nothing of another host, no script or style within the page, in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HARDENED = {
  'content-security-policy': POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Why this model: a page for people, and its data. */
@Controller('autopilot')
export class StatusController {
  constructor(
    private readonly status: StatusService,
    private readonly watchers: Watchers,
    @Inject(PAGE_FILES) private readonly files: ReadonlyMap<string, PageFile>,
  ) {}

  @Get()
  page(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): void {
    this.send('page.html', known, reply);
  }

  @Get('models')
  models(@Query('alias') alias: unknown, @Res() reply: FastifyReply): void {
    if (alias !== undefined && typeof alias !== 'string') throw ApiError.modelNotFound();
    sendJson(reply, this.status.models(alias === '' ? undefined : alias));
  }

  @Get('decisions')
  decisions(@Res() reply: FastifyReply): void {
    sendJson(reply, this.status.decisions());
  }

  @Get('events')
  events(@Req() { record }: FastifyRequest, @Res() reply: FastifyReply): void {
    // It goes on past Fastify.
    reply.hijack();
    this.watchers.add(record);
  }

  /** What the page is made of. */
  @Get(':file')
  file(
    @Param('file') name: string,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): void {
    this.send(name, known, reply);
  }

  private send(name: string, known: string | undefined, reply: FastifyReply): void {
    const file = this.files.get(name);
    if (!file) throw ApiError.notFound('There is nothing at this path.');
    void reply.headers({ ...HARDENED, etag: file.etag, 'cache-control': 'no-cache' });
    if (hasTag(known, file.etag)) void reply.code(304).send();
    else void reply.type(file.type).send(file.body);
  }
}

function sendJson(reply: FastifyReply, text: string): void {
  void reply
    .headers({ ...HARDENED, 'cache-control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send(text);
}
