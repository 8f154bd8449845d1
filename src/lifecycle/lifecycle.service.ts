import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { AdmissionService } from '../http-edge/admission.service.js';
import { PortsService } from '../http-edge/ports.service.js';
import { sendError } from '../http-edge/send-error.socket.js';
import { ApiError } from '../openai/api-error.js';
import type { RequestRecord } from '../request/request-record.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { RequestTelemetry } from '../telemetry/request-telemetry.service.js';
import { RelayService } from '../upstream/relay.service.js';

/** How often the end looks whether all answers have ended, in milliseconds. */
const POLL_MS = 20;
/** For the last error events to reach their clients. */
const FAREWELL_MS = 500;

/**
 * The orderly end of the process: first only readiness says so, while load balancers take note; then no new
 * work is taken; at last the answers that still run are ended, as broken ones.
 */
@Injectable()
export class LifecycleService {
  /** Set from the first signal on. */
  isStopping = false;

  private readonly signal = Promise.withResolvers<void>();
  /** Resolves with the first signal. */
  readonly stopping: Promise<void> = this.signal.promise;

  private readonly hurry = Promise.withResolvers<void>();
  private isHurried = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly admission: AdmissionService,
    private readonly ports: PortsService,
    private readonly telemetry: RequestTelemetry,
    private readonly relays: RelayService,
  ) {}

  /** Skips all waiting. */
  hurryUp(): void {
    this.isHurried = true;
    this.hurry.resolve();
  }

  /** Resolves when nothing runs any more; the application can then be closed. */
  async stop(): Promise<void> {
    const { drainMs, graceMs } = this.config.shutdown;
    this.isStopping = true;
    this.signal.resolve();
    this.logger.info({ drain_ms: drainMs, grace_ms: graceMs }, 'shutting down');
    await this.pause(drainMs);
    this.refuse();
    await this.untilIdle(graceMs);
    this.interrupt();
    await this.untilIdle(FAREWELL_MS, false);
    await this.disconnect();
  }

  /** Of clients. The admin port is there until the process ends. */
  private get unfinished(): RequestRecord[] {
    return [...this.telemetry.unfinished].filter(({ request }) => !this.ports.isInside(request));
  }

  private refuse(): void {
    this.admission.close();
    this.ports.closeToClients();
  }

  private interrupt(): void {
    for (const record of this.unfinished) {
      const { response } = record;
      if (response.headersSent && !record.early) {
        this.relays.interrupt(record, 'shutting_down');
        continue;
      }
      if (record.early) record.early.fail(ApiError.interrupted('shutting_down'));
      else sendError(record, ApiError.shuttingDown());
      // Whatever the upstream says from now on comes too late.
      record.leave();
    }
  }

  /** What is left would keep the application from closing: clients that do not read, halves of requests, kept connections. */
  private async disconnect(): Promise<void> {
    // By a reset: to an HTTP/1.0 client the end of the connection would look like the end of the answer.
    for (const { response } of this.unfinished) response.socket?.resetAndDestroy();
    this.ports.disconnectClients();
    await this.untilIdle(FAREWELL_MS, false);
  }

  private async untilIdle(withinMs: number, canHurry = true): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    while (this.unfinished.length > 0 && performance.now() < deadlineMs) {
      if (canHurry && this.isHurried) return;
      await this.pause(POLL_MS, canHurry);
    }
  }

  private async pause(ms: number, canHurry = true): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await (canHurry ? Promise.race([over, this.hurry.promise]) : over);
    clearTimeout(timer);
  }
}
