import { Controller, Get, Inject, Param } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import type { ModelList } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';

type Entry = Readonly<Record<string, unknown>>;

/** The catalog as last fetched, preceded by the aliases. */
@Controller('v1/models')
export class ModelsController {
  private readonly aliases: readonly (Entry & { id: string })[];

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
  list(): { object: 'list'; data: readonly Entry[] } {
    const models = this.loaded().models.map(({ entry }) => entry);
    return { object: 'list', data: [...this.aliases, ...models] };
  }

  /** The id's slashes may be literal or encoded: the router hands over the rest of the path decoded. */
  @Get('*')
  retrieve(@Param('*') id: string): Entry {
    const { byId } = this.loaded();
    const entry = this.aliases.find((alias) => alias.id === id) ?? byId.get(id)?.entry;
    if (!entry) throw ApiError.modelNotFound();
    return entry;
  }

  private loaded(): ModelList {
    const models = this.catalog.models.last;
    if (!models) throw ApiError.missingAllowlist();
    return models.value;
  }
}
