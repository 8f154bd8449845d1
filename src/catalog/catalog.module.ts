import { Module } from '@nestjs/common';
import { CatalogClient } from './catalog.client.js';
import { CatalogRefresher } from './catalog.refresher.js';
import { CatalogService } from './catalog.service.js';

@Module({ providers: [CatalogClient, CatalogService, CatalogRefresher], exports: [CatalogService] })
export class CatalogModule {}
