import type { ClientListener, RequestRecord } from '../request/request-record.js';
import type { Deadline, DeadlineListener, Deadlines } from '../runtime/deadlines.timer.js';
import type { BodySink, UpstreamExchange } from '../upstream/upstream-exchange.client.js';
import type { EarlyStream } from './early-stream.socket.js';

/** So much is read of an answer that is to be told as an error, and for so long. */
const MAX_BYTES = 65_536;
const MAX_MS = 2_000;

/** Reads an answer that is no stream, and ends with it the stream that its client has been given. */
export class RefusedStream implements BodySink, ClientListener, DeadlineListener {
  private readonly deadline: Deadline;
  private readonly pieces: Buffer[] = [];
  private missingBytes = MAX_BYTES;
  private isOver = false;

  /** @param isReadable whether its bytes are text */
  constructor(
    private readonly exchange: UpstreamExchange,
    private readonly stream: EarlyStream,
    private readonly record: RequestRecord,
    private readonly answer: { readonly status: number; readonly isReadable: boolean },
    deadlines: Deadlines,
  ) {
    this.deadline = deadlines.for(this);
  }

  start(): void {
    this.record.listener = this;
    this.deadline.set(performance.now() + MAX_MS);
    this.exchange.attach(this);
  }

  onData(chunk: Buffer): void {
    if (this.isOver) return;
    this.pieces.push(chunk.subarray(0, this.missingBytes));
    this.missingBytes -= chunk.length;
    if (this.missingBytes <= 0) this.tell();
  }

  onEnd(): void {
    this.tell();
  }

  onBreak(): void {
    this.tell();
  }

  onDeadline(): void {
    this.tell();
  }

  onClientGone(): void {
    this.leave();
  }

  private tell(): void {
    if (this.isOver) return;
    this.leave();
    const { status, isReadable } = this.answer;
    this.stream.refuse(status, Buffer.concat(isReadable ? this.pieces : []));
  }

  private leave(): void {
    this.isOver = true;
    this.deadline.clear();
    this.exchange.abandon();
  }
}
