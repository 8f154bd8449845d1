import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CatalogService } from '../catalog/catalog.service.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import { hasTag } from '../request/etag.js';
import { type JsonDocument, ModelDocuments, type ModelEntry } from './model-documents.js';

/** The catalog as last fetched, preceded by the aliases. */
@Controller('v1/models')
export class ModelsController {
  private readonly aliases: readonly ModelEntry[];
  /** Of the list that was last asked for. */
  private documents: ModelDocuments | undefined;

  constructor(
    @Inject(CONFIG) { routing }: Config,
    private readonly catalog: CatalogService,
  ) {
    this.aliases = [...routing.aliases.keys()].map((id) => ({
      id,
      object: 'model',
      created: 0,
      owned_by: 'chutes-autopilot',
    }));
  }

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
    if (this.documents?.models !== models) this.documents = new ModelDocuments(models, this.aliases);
    return this.documents;
  }
}

/** @param known the tags of what the client has. */
function send(reply: FastifyReply, { body, etag }: JsonDocument, known: string | undefined): void {
  void reply.header('etag', etag);
  if (hasTag(known, etag)) void reply.code(304).send();
  else void reply.type('application/json; charset=utf-8').send(body);
}
