import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'undici';
import { CONFIG, type Config } from '../config/config.js';
import { Connector } from '../egress/connector.factory.js';
import { proxyChoice } from '../egress/proxy-choice.js';
import type { AttemptClock } from './attempt-clock.js';
import { ConnectionSlots } from './connection-slots.timer.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { type ExchangeOptions, UpstreamExchange, type UpstreamRequest } from './upstream-exchange.client.js';

/**
 * A request on a kept connection that the upstream has just closed is reset and rightly not resent by undici,
 * so connections are kept for less than servers usually keep them.
 */
const KEEP_ALIVE_MS = 4_000;

/** Opens exchanges with the upstreams, over HTTP/1.1 and a bounded number of connections. */
@Injectable()
export class UpstreamClient implements OnApplicationShutdown {
  private readonly pools = new Map<string, Pool>();
  private readonly poolOptions: Pool.Options;
  private readonly connector: Connector;
  private readonly slots: ConnectionSlots;
  private readonly connectTimeoutMs: number;

  constructor(
    @Inject(CONFIG) { upstream, egress }: Config,
    private readonly deadlines: Deadlines,
  ) {
    this.connectTimeoutMs = upstream.connectTimeoutMs;
    this.connector = new Connector(upstream.connectTimeoutMs, proxyChoice(egress));
    this.slots = new ConnectionSlots(upstream.maxConnections, upstream.connectTimeoutMs);
    this.poolOptions = {
      allowH2: false,
      connections: upstream.maxConnections,
      pipelining: 1,
      // The exchange has timers of its own; undici's are coarse, and interim responses keep them from firing.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.connector.connect,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    };
  }

  open(request: UpstreamRequest, clock: AttemptClock, options: ExchangeOptions = {}): UpstreamExchange {
    const { connector, slots, deadlines, connectTimeoutMs } = this;
    return new UpstreamExchange(
      this.poolOf(request.origin),
      connector,
      slots,
      deadlines,
      request,
      clock,
      connectTimeoutMs,
      options,
    ).start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
  }

  /** The origins are those of the configuration, so there are two at most. */
  private poolOf(origin: string): Pool {
    let pool = this.pools.get(origin);
    if (!pool) {
      pool = new Pool(origin, this.poolOptions);
      this.pools.set(origin, pool);
    }
    return pool;
  }
}
