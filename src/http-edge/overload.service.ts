import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import type { ShedReason } from '../openai/shed-reason.js';
import { TurnWatch } from '../runtime/turn-watch.timer.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { Episode } from './episode.js';
import { afterTurn, CALM, type Load } from './overload.js';

/** How often it is looked whether an episode is over, in milliseconds. */
const LOOK_MS = 1_000;

type PortName = 'clients' | 'inside';

/** Knows when the event loop has too much to do, and tells of all that is refused for want of room. */
@Injectable()
export class OverloadService implements OnApplicationBootstrap, OnApplicationShutdown {
  private load: Load = CALM;
  private readonly watch = new TurnWatch((turnMs, sinceLastMs) => this.onTurn(turnMs, sinceLastMs));
  private timer: NodeJS.Timeout | undefined;
  private shedForLag = 0;
  private readonly shedding = { body: new Episode(), upstream: new Episode() };
  private readonly refusing = { clients: new Episode(), inside: new Episode() };

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly metrics: MetricsService,
  ) {
    metrics.gaugeAtScrape(
      'event_loop_lag_seconds',
      'How long turns of the event loop take, those of the last second above all.',
      () => this.load.lagMs / 1_000,
    );
  }

  /** Whether new work is to be refused because turns of the event loop take too long. */
  get isLagging(): boolean {
    return this.load.isOverload;
  }

  onApplicationBootstrap(): void {
    this.watch.start();
    this.timer = setInterval(() => this.tellEnds(performance.now()), LOOK_MS).unref();
  }

  onApplicationShutdown(): void {
    this.watch.stop();
    clearInterval(this.timer);
  }

  /** Counts a request that was refused for want of room. */
  shed(reason: ShedReason): void {
    this.metrics.requestShed(reason);
    if (reason === 'lag') this.shedForLag += 1;
    else if (this.shedding[reason].happened(performance.now())) {
      this.logger.warn({ reason }, 'shedding requests');
    }
  }

  /** Counts a connection that was refused for want of room. */
  refusedConnection(port: PortName): void {
    this.metrics.connectionRefused();
    if (this.refusing[port].happened(performance.now())) {
      this.logger.warn({ port }, 'refusing connections');
    }
  }

  private onTurn(turnMs: number, sinceLastMs: number): void {
    const before = this.load;
    this.load = afterTurn(before, turnMs, sinceLastMs, this.config.requests.maxLagMs);
    if (before.isOverload === this.load.isOverload) return;
    const lag_ms = Math.round(this.load.lagMs);
    if (this.load.isOverload) {
      this.shedForLag = 0;
      this.logger.warn({ reason: 'lag', lag_ms }, 'shedding requests');
    } else {
      this.logger.info({ reason: 'lag', lag_ms, requests: this.shedForLag }, 'no longer shedding requests');
    }
  }

  private tellEnds(nowMs: number): void {
    for (const [reason, episode] of Object.entries(this.shedding)) {
      const requests = episode.endedBy(nowMs);
      if (requests !== undefined) this.logger.info({ reason, requests }, 'no longer shedding requests');
    }
    for (const [port, episode] of Object.entries(this.refusing)) {
      const connections = episode.endedBy(nowMs);
      if (connections !== undefined) {
        this.logger.info({ port, connections }, 'no longer refusing connections');
      }
    }
  }
}
