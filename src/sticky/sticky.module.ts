import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { MemoryStore } from './memory.store.js';
import { StickyService } from './sticky.service.js';
import { StickyStore } from './sticky.store.js';

@Module({
  providers: [
    StickyService,
    {
      provide: StickyStore,
      inject: [CONFIG],
      useFactory: ({ sticky }: Config) =>
        new MemoryStore({ maxEntries: Math.max(1, sticky.maxEntries), ttlMs: Math.max(1, sticky.ttlMs) }),
    },
  ],
  exports: [StickyService],
})
export class StickyModule {}
