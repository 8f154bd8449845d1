import type { Dialect } from '../openai/dialect.js';
import type { RequestRecord } from '../request/request-record.js';
import type { Deadline, DeadlineListener, Deadlines } from '../runtime/deadlines.timer.js';
import { EarlyStream } from './early-stream.socket.js';

/** A client's wait for its stream, which balancers on its way cut where it is silent for too long. */
export class Waiting implements DeadlineListener {
  private readonly deadline: Deadline;
  private stream: EarlyStream | undefined;

  constructor(
    private readonly record: RequestRecord,
    private readonly dialect: Dialect,
    private readonly intervalMs: number,
    deadlines: Deadlines,
  ) {
    this.deadline = deadlines.for(this);
    this.expect();
  }

  /** There is an answer, or there will be none. */
  end(): void {
    this.deadline.clear();
  }

  onDeadline(): void {
    this.expect();
    const { record, dialect } = this;
    // A pipelined answer has no connection before its turn comes, and the one in front of it keeps that alive.
    if (!record.response.socket) return;
    this.stream ??= new EarlyStream(record, dialect);
    record.early = this.stream;
    this.stream.keepAlive();
  }

  private expect(): void {
    this.deadline.set(performance.now() + this.intervalMs);
  }
}
