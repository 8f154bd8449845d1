import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import type { DestinationStream } from 'pino';
import { CatalogModule } from './catalog/catalog.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { EvidenceModule } from './evidence/evidence.module.js';
import { HealthModule } from './health/health.module.js';
import { ApiExceptionFilter } from './http-edge/api-exception.filter.js';
import type { FrontDoor } from './http-edge/front-door.js';
import { FrontDoorModule } from './http-edge/front-door.module.js';
import { HttpEdgeModule } from './http-edge/http-edge.module.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import { ProxyModule } from './proxy/proxy.module.js';
import { RankingModule } from './ranking/ranking.module.js';
import { RoutingModule } from './routing/routing.module.js';
import { StatusModule } from './status/status.module.js';
import { StickyModule } from './sticky/sticky.module.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { UpstreamModule } from './upstream/upstream.module.js';

/** The table of contents. */
@Module({})
export class AppModule {
  static with(config: Config, logDestination: DestinationStream, frontDoor: FrontDoor): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        TelemetryModule.with(config, logDestination),
        ScheduleModule.forRoot(),
        FrontDoorModule.with(frontDoor),
        HttpEdgeModule, // how requests come in, and failures go out
        CatalogModule, // what models there are, and how busy they are
        RankingModule, // which of them come first
        RoutingModule, // which of them may answer a request
        StickyModule, // which of them a client stays on
        UpstreamModule, // one attempt, and how its answer is relayed
        ProxyModule, // the walk of a request through all of these
        EvidenceModule,
        LifecycleModule, // an orderly end
        HealthModule,
        ...(config.hasStatusPage ? [StatusModule] : []), // all of it, for people to look at
      ],
      providers: [{ provide: APP_FILTER, useExisting: ApiExceptionFilter }],
    };
  }
}
