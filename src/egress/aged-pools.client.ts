import { type Dispatcher, Pool } from 'undici';

/** No connection of the pool is older than the pool itself. */
interface AgingPool {
  readonly pool: Pool;
  readonly retirement: NodeJS.Timeout;
}

/**
 * Pools of kept connections, one for each origin. A pool that is `maxAgeMs` old takes no more requests: a new one takes its place,
 * whose connections look the name up anew, and its own connections end with what runs on them.
 *
 * undici's `clientTtl` does this for single connections, but by the wall clock, which it reads for each busy one at each request.
 */
export class AgedPools {
  private readonly pools = new Map<string, AgingPool>();
  private readonly retired = new Set<Pool>();
  private isDestroyed = false;

  constructor(
    private readonly options: Pool.Options,
    private readonly maxAgeMs: number,
  ) {}

  /** Where the next request to an origin goes. Not to be kept: in a later turn of the event loop the pool may be closed. */
  of(origin: string): Pool {
    return this.pools.get(origin)?.pool ?? this.open(origin);
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.of(String(options.origin)).dispatch(options, handler);
  }

  /** Lets the next request to an origin have a new connection. */
  renew(origin: string): void {
    const aging = this.pools.get(origin);
    if (!aging || this.isDestroyed) return;
    const { pool, retirement } = aging;
    clearTimeout(retirement);
    this.pools.delete(origin);
    this.retired.add(pool);
    void pool.close().then(() => this.retired.delete(pool));
  }

  /** Ends all connections, and what runs on them. */
  async destroy(): Promise<void> {
    this.isDestroyed = true;
    for (const { pool, retirement } of this.pools.values()) {
      clearTimeout(retirement);
      this.retired.add(pool);
    }
    await Promise.all([...this.retired].map((pool) => pool.destroy()));
  }

  private open(origin: string): Pool {
    const pool = new Pool(origin, this.options);
    // Whoever still comes is refused, and opens nothing.
    if (this.isDestroyed) void pool.destroy();
    const retirement = setTimeout(() => this.renew(origin), this.maxAgeMs).unref();
    this.pools.set(origin, { pool, retirement });
    return pool;
  }
}
