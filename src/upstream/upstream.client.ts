import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { AgedPools } from '../egress/aged-pools.client.js';
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
  private readonly pools: AgedPools;
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
    const options = {
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
    this.pools = new AgedPools(options, upstream.connectionMaxAgeMs);
  }

  open(request: UpstreamRequest, clock: AttemptClock, options: ExchangeOptions = {}): UpstreamExchange {
    const { pools, connector, slots, deadlines, connectTimeoutMs } = this;
    return new UpstreamExchange(
      pools,
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
    await this.pools.destroy();
  }
}
