import { type DynamicModule, Global, Module } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { LoggerModule } from 'nestjs-pino';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../config/config.js';
import { createLogger } from './logger.factory.js';
import { LOG_DESTINATION, LOGGER } from './logger.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { RequestTelemetry } from './request-telemetry.service.js';
import { TRACING, type Tracing } from './tracing.js';

@Global()
@Module({
  providers: [MetricsService, RequestTelemetry],
  exports: [MetricsService, RequestTelemetry],
})
export class TelemetryModule {
  static with({ logLevel, traces }: Config, destination: DestinationStream): DynamicModule {
    const logger = createLogger(logLevel, destination);
    return {
      module: TelemetryModule,
      imports: [
        LoggerModule.forRoot({
          pinoHttp: { logger, autoLogging: false },
          // No per-request logger: the router writes one line of its own per request.
          forRoutes: [],
        }),
        PrometheusModule.register({
          controller: MetricsController,
          defaultMetrics: { enabled: false },
        }),
      ],
      providers: [
        { provide: LOGGER, useValue: logger satisfies Logger },
        { provide: LOG_DESTINATION, useValue: destination satisfies DestinationStream },
        {
          provide: TRACING,
          // Nothing of the SDK is loaded without need.
          useFactory: async (): Promise<Tracing | undefined> => {
            if (!traces) return undefined;
            const { OpenTelemetryClient } = await import('./open-telemetry.client.js');
            return new OpenTelemetryClient(traces, logger);
          },
        },
      ],
      exports: [LOGGER],
    };
  }
}
