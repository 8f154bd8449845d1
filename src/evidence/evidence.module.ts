import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CONFIG, type Config } from '../config/config.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { UpstreamClient } from '../upstream/upstream.client.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { EvidenceController } from './evidence.controller.js';
import { EVIDENCE_UPSTREAM } from './evidence-upstream.js';

/** Evidence needs no token, so whoever likes can have all of these connections busy; completions are to have theirs all the same. */
const MAX_CONNECTIONS = 64;

@Module({
  imports: [CatalogModule, UpstreamModule],
  controllers: [EvidenceController],
  providers: [
    {
      provide: EVIDENCE_UPSTREAM,
      inject: [CONFIG, Deadlines],
      useFactory: (config: Config, deadlines: Deadlines) =>
        new UpstreamClient(
          { ...config, upstream: { ...config.upstream, maxConnections: MAX_CONNECTIONS } },
          deadlines,
        ),
    },
  ],
})
export class EvidenceModule {}
