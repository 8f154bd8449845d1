import { Module } from '@nestjs/common';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { LifecycleService } from './lifecycle.service.js';

@Module({ imports: [UpstreamModule], providers: [LifecycleService], exports: [LifecycleService] })
export class LifecycleModule {}
