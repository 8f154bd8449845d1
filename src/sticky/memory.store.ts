import { LRUCache } from 'lru-cache';
import { type Avoidance, withAvoidance } from './avoidance.js';
import type { ClientKey } from './client-key.js';
import type { Pin } from './pin.js';
import type { StickyStore } from './sticky.store.js';

/** How often the clock is read: for each reading the cache sets a timer. */
const CLOCK_MS = 100;

/** Pins in this process; the least recently used goes first when the store is full. Every operation takes constant time. */
export class MemoryStore implements StickyStore {
  private readonly pins: LRUCache<ClientKey, Pin>;
  private readonly avoidances: LRUCache<ClientKey, readonly Avoidance[]>;

  /** @param maxEntries at least 1. @param ttlMs at least 1. */
  constructor({ maxEntries, ttlMs }: { maxEntries: number; ttlMs: number }) {
    this.pins = new LRUCache({ max: maxEntries, ttl: ttlMs, ttlResolution: CLOCK_MS });
    this.avoidances = new LRUCache({ max: maxEntries, ttl: ttlMs, ttlResolution: CLOCK_MS });
  }

  get size(): number {
    return this.pins.size;
  }

  /** Monotonic: a wall clock that is set back would keep a pin from failing back. */
  nowMs(): number {
    return performance.now();
  }

  get(key: ClientKey): Pin | undefined {
    return this.pins.get(key);
  }

  set(key: ClientKey, pin: Pin): void {
    this.pins.set(key, pin);
  }

  drop(key: ClientKey, model: Pin['model']): void {
    if (this.pins.peek(key)?.model === model) this.pins.delete(key);
  }

  avoided(key: ClientKey): readonly Avoidance[] | undefined {
    // Mostly no model is full.
    return this.avoidances.size === 0 ? undefined : this.avoidances.get(key);
  }

  avoid(key: ClientKey, avoidance: Avoidance): void {
    this.avoidances.set(key, withAvoidance(this.avoidances.peek(key), avoidance, this.nowMs()));
  }
}
