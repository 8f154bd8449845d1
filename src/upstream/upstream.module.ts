import { Module } from '@nestjs/common';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { RelayService } from './relay.service.js';
import { UpstreamClient } from './upstream.client.js';

@Module({
  providers: [Deadlines, UpstreamClient, RelayService],
  exports: [Deadlines, UpstreamClient, RelayService],
})
export class UpstreamModule {}
