import { Module } from '@nestjs/common';
import { RelayService } from './relay.service.js';
import { UpstreamClient } from './upstream.client.js';

@Module({ providers: [UpstreamClient, RelayService], exports: [UpstreamClient, RelayService] })
export class UpstreamModule {}
