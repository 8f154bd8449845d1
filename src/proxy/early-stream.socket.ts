import { cutIfStalled } from '../http-edge/stalled-answer.timer.js';
import type { ApiError } from '../openai/api-error.js';
import { type Dialect, errorEvent, KEEP_ALIVE, upstreamErrorEvent } from '../openai/dialect.js';
import type { EarlyAnswer, RequestRecord } from '../request/request-record.js';
import { bytesWaiting } from '../runtime/bytes-waiting.socket.js';
import { saidBy } from '../upstream/error-shape.js';

/**
 * An event stream that was begun before an answer was chosen, so that nobody takes the silence for the end. Whatever becomes of the
 * request has to go into it.
 */
export class EarlyStream implements EarlyAnswer {
  constructor(
    private readonly record: RequestRecord,
    private readonly dialect: Dialect,
  ) {}

  /** Sends what no client takes for a part of an answer, unless the last of these has not been taken yet. */
  keepAlive(): void {
    const { id, response } = this.record;
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': id });
    } else if (bytesWaiting(response) > 0) {
      return;
    }
    const comment = KEEP_ALIVE[this.dialect];
    this.record.bytesOut += comment.length;
    response.write(comment);
  }

  fail(error: ApiError): void {
    this.endWith(errorEvent(this.dialect, error.toBody()));
  }

  /** Ends it with an answer of the upstream's that is no stream. @param body as far as it could be read */
  refuse(status: number, body: Buffer): void {
    this.endWith(upstreamErrorEvent(this.dialect, status, saidBy(status, body)));
  }

  private endWith(event: string): void {
    const { record } = this;
    const { response } = record;
    if (response.writableEnded) return;
    record.isInterrupted = true;
    record.firstByteAtMs ??= performance.now();
    record.bytesOut += Buffer.byteLength(event);
    response.end(event);
    cutIfStalled(response, record);
  }
}
