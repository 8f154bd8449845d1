import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { MemoryBudget } from '../runtime/memory-budget.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { HttpEdgeModule } from '../http-edge/http-edge.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { StickyModule } from '../sticky/sticky.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { AttemptReports } from './attempt-reports.service.js';
import { AttemptsService } from './attempts.service.js';
import { CompletionsController } from './completions.controller.js';
import { DryRunService } from './dry-run.service.js';
import { LongSilenceService } from './long-silence.service.js';
import { ModelsController } from './models.controller.js';
import { ProxyService } from './proxy.service.js';
import { RequestBodyService } from '../reading/request-body.service.js';

@Module({
  imports: [HttpEdgeModule, CatalogModule, RoutingModule, StickyModule, UpstreamModule],
  controllers: [CompletionsController, ModelsController],
  providers: [
    ProxyService,
    DryRunService,
    AttemptsService,
    AttemptReports,
    LongSilenceService,
    RequestBodyService,
    {
      provide: MemoryBudget,
      useFactory: ({ requests }: Config) => new MemoryBudget(requests.maxInflightBytes),
      inject: [CONFIG],
    },
  ],
})
export class ProxyModule {}
