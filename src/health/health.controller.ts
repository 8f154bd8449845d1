import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { ApiError } from '../openai/api-error.js';
import type { ReadinessCode } from '../openai/error-response.js';
import { ReadinessIndicator } from './readiness.indicator.js';

@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: ReadinessIndicator,
  ) {}

  /** Alive as long as it answers. */
  @Get('healthz')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(): Promise<HealthCheckResult> {
    try {
      return await this.health.check([
        () => this.readiness.process(),
        () => this.readiness.allowlist(),
        () => this.readiness.snapshot(),
      ]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      throw notReady(error.getResponse() as HealthCheckResult);
    }
  }
}

function notReady({ details }: HealthCheckResult): ApiError {
  const codes = Object.values(details).map((component) => component['code'] as ReadinessCode | undefined);
  return ApiError.notReady(codes.find((code) => code !== undefined) ?? 'shutting_down', details);
}
