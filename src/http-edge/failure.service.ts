import { Inject, Injectable } from '@nestjs/common';
import { toApiError } from '../openai/to-error-response.js';
import type { RequestRecord } from '../request/request-record.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { Doors } from './doors.js';
import { OverloadService } from './overload.service.js';
import { sendError } from './send-error.socket.js';

/** Answers requests that failed. Nest hands over what it catches by the exception filter; who works past Nest comes here. */
@Injectable()
export class FailureService {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly overload: OverloadService,
    private readonly doors: Doors,
  ) {}

  answer(thrown: unknown, record: RequestRecord): void {
    const { request, response } = record;
    const error = toApiError(thrown, request.url ?? '', this.doors.served);
    if (error.code === 'internal_error') this.report(thrown, record.id);
    if (error.shedFor) this.overload.shed(error.shedFor);

    if (response.writableEnded) return;
    // An answer that has begun must not look complete.
    if (record.early) {
      record.early.fail(error);
    } else if (response.headersSent) {
      record.isInterrupted = true;
      response.destroy();
    } else {
      sendError(record, error);
    }
  }

  /** Without the message, which may quote what a client sent. */
  private report(thrown: unknown, requestId: string): void {
    const { name, code, message, stack } = (thrown ?? {}) as Readonly<Record<string, unknown>>;
    const frames =
      String(stack)
        .replace(String(message), '')
        .match(/^\s+at .*$/gm) ?? [];
    this.logger.error(
      { req_id: requestId, name, code, frames: frames.map((frame) => frame.trim()) },
      'internal error',
    );
  }
}
