import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MemoryStore } from './memory.store.js';
import { StickyService } from './sticky.service.js';
import { StickyStore } from './sticky.store.js';

@Module({
  providers: [StickyService, { provide: StickyStore, inject: [CONFIG, LOGGER], useFactory: createStore }],
  exports: [StickyService],
})
export class StickyModule {}

async function createStore({ sticky }: Config, logger: Logger): Promise<StickyStore> {
  const { ttlMs, maxEntries, redis } = sticky;
  if (redis && ttlMs > 0 && maxEntries > 0) {
    // Loaded only where it is used: the client takes a tenth of a second and 30 MB.
    const { RedisStore } = await import('./redis.store.js');
    return new RedisStore({ ...redis, ttlMs }, logger);
  }
  return new MemoryStore({ maxEntries: Math.max(1, maxEntries), ttlMs: Math.max(1, ttlMs) });
}
