import { Module } from '@nestjs/common';
import { HttpEdgeModule } from '../http-edge/http-edge.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { LifecycleService } from './lifecycle.service.js';

@Module({
  imports: [HttpEdgeModule, UpstreamModule],
  providers: [LifecycleService],
  exports: [LifecycleService],
})
export class LifecycleModule {}
