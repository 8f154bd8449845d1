import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { EvidenceController } from './evidence.controller.js';

@Module({ imports: [CatalogModule, UpstreamModule], controllers: [EvidenceController] })
export class EvidenceModule {}
