import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { RankingModule } from '../ranking/ranking.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { PAGE_FILES, readPageFiles } from './page-files.factory.js';
import { StatusController } from './status.controller.js';
import { StatusService } from './status.service.js';
import { Watchers } from './watchers.socket.js';

/** Left out with `STATUS_PAGE=false`: then nothing is kept, either. */
@Module({
  imports: [CatalogModule, RankingModule, RoutingModule, LifecycleModule],
  controllers: [StatusController],
  providers: [StatusService, Watchers, { provide: PAGE_FILES, useFactory: readPageFiles }],
})
export class StatusModule {}
