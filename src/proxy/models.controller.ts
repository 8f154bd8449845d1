import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CatalogService } from '../catalog/catalog.service.js';
import { EMPTY_MODEL_LIST } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';
import { hasTag } from '../request/etag.js';
import type { RoutingSnapshot } from '../routing/routing-snapshot.js';
import { RoutingService } from '../routing/routing.service.js';
import { aliasEntry } from './alias-entry.js';
import { type JsonDocument, ModelDocuments } from './model-documents.js';

/** The catalog as last fetched, preceded by the aliases. */
@Controller('v1/models')
export class ModelsController {
  /** What was known when somebody last asked. */
  private snapshot: RoutingSnapshot | undefined;
  private documents = new ModelDocuments(EMPTY_MODEL_LIST, []);

  constructor(
    private readonly catalog: CatalogService,
    private readonly routing: RoutingService,
  ) {}

  @Get()
  list(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): void {
    send(reply, this.loaded().list, known);
  }

  /** The id's slashes may be literal or encoded: the router hands over the rest of the path decoded. */
  @Get('*')
  retrieve(
    @Param('*') id: string,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): void {
    const document = this.loaded().of(id);
    if (!document) throw ApiError.modelNotFound();
    send(reply, document, known);
  }

  private loaded(): ModelDocuments {
    const models = this.catalog.models.last?.value;
    if (!models) throw ApiError.missingAllowlist();
    const { snapshot } = this.routing;
    if (this.snapshot !== snapshot) {
      this.snapshot = snapshot;
      const aliases = this.routing.abilitiesByAlias().map(([alias, pool]) => aliasEntry(alias, pool));
      // Utilization moves every few seconds; what aliases can mostly stays.
      if (!this.documents.areOf(models, aliases)) this.documents = new ModelDocuments(models, aliases);
    }
    return this.documents;
  }
}

/** @param known the tags of what the client has. */
function send(reply: FastifyReply, { body, etag }: JsonDocument, known: string | undefined): void {
  void reply.header('etag', etag);
  if (hasTag(known, etag)) void reply.code(304).send();
  else void reply.type('application/json; charset=utf-8').send(body);
}
