// Long: whoever writes, waits or breaks off needs the same state.
import type { ServerResponse } from 'node:http';
import { ApiError } from '../openai/api-error.js';
import type { ClientListener, RequestRecord } from '../request/request-record.js';
import { bytesWaiting } from '../runtime/bytes-waiting.socket.js';
import type { Deadline, DeadlineListener, Deadlines } from '../runtime/deadlines.timer.js';
import type { EventStreamTail } from './event-stream.js';
import type { FlatHeaders } from './headers.js';
import type { BodySink, UpstreamExchange } from './upstream-exchange.client.js';

export type InterruptionCode = Parameters<typeof ApiError.interrupted>[0];

/** In milliseconds; 0 turns a limit off. */
export interface RelayLimits {
  /** How long the upstream may be silent while the client keeps up. */
  readonly idleTimeoutMs: number;
  /** How long the client may take no byte. */
  readonly stallTimeoutMs: number;
}

/** Is told once how an answer that is relayed has ended: of the upstream, not of the client, who may not have all of it yet. */
export interface AnswerWatcher {
  /** It came in full. */
  onWhole(): void;
  /** It came in full, and all it says is why the request is refused. */
  onRefused(): void;
  /** The upstream broke it, or it broke by itself. */
  onBroken(): void;
  /** Nobody wants the rest of it: the client has left or takes nothing, or the process ends. */
  onGivenUp(): void;
}

/** Beyond this, a copy of the body costs more than it saves. */
const MAX_JOINED_BYTES = 4_096;

/**
 * Writes an opened answer to the client as it arrives, no faster than the client reads. An answer that breaks
 * never looks complete: its connection is closed without a clean end, and an event stream says so first.
 */
export class Relay implements BodySink, ClientListener, DeadlineListener {
  private readonly raw: ServerResponse;
  private readonly deadline: Deadline;
  /** What the client had not taken when the deadline was set; `undefined` where it is the upstream's. */
  private bytesLeft: number | undefined;
  private isHeld = false;
  /** Whether nothing more is to come from the upstream. */
  private isOver = false;

  /**
   * @param tail where an error event can be added: the answer is an event stream and not compressed.
   */
  constructor(
    private readonly exchange: UpstreamExchange,
    private readonly tail: EventStreamTail | undefined,
    private readonly limits: RelayLimits,
    private readonly record: RequestRecord,
    private readonly watcher: AnswerWatcher | undefined,
    deadlines: Deadlines,
  ) {
    this.raw = record.response;
    this.deadline = deadlines.for(this);
  }

  start(status: number, headers: FlatHeaders): void {
    this.record.listener = this;
    // A client that has waited for long has been given a stream already.
    if (!this.raw.headersSent) this.raw.writeHead(status, headers as string[]);
    const whole = this.tail ? undefined : this.exchange.takeWhole();
    if (whole) this.sendWhole(whole);
    else this.stream();
  }

  private sendWhole(body: Buffer): void {
    this.isOver = true;
    this.watcher?.onWhole();
    this.record.bytesOut = body.length;
    const isJoined = body.length <= MAX_JOINED_BYTES && !this.raw.chunkedEncoding;
    // As text of one byte per character, Node joins it with the head: that is written with less ado than two pieces.
    if (isJoined) this.raw.end(body.toString('latin1'), 'latin1');
    else this.raw.end(body);
    this.awaitClient();
  }

  private stream(): void {
    // Head and what has come of the body leave in one write.
    this.raw.cork();
    this.exchange.attach(this);
    if (!this.isOver && !this.isHeld) this.expectUpstream();
    if (this.record.bytesOut === 0 && !this.raw.writableEnded) this.raw.flushHeaders();
    this.raw.uncork();
  }

  /** Ends the answer early, as a broken one. */
  interrupt(code: InterruptionCode): void {
    if (this.isOver) return;
    this.watcher?.onGivenUp();
    this.cut(code);
  }

  private cut(code: InterruptionCode): void {
    this.isOver = true;
    this.record.isInterrupted = true;
    this.exchange.abandon();
    if (this.tail) {
      this.writeErrorEvent(this.tail, code, () => this.disconnect());
      this.awaitClient();
    } else if (code === 'upstream_stream_interrupted') {
      this.disconnectBehindRest();
    } else {
      this.disconnect();
    }
  }

  onData(chunk: Buffer): void {
    if (this.isOver) return;
    this.record.bytesOut += chunk.length;
    this.tail?.push(chunk);
    if (!this.raw.write(chunk)) this.hold();
    else if (this.deadline.isSet && !this.isHeld) this.expectUpstream();
  }

  onEnd(): void {
    if (this.isOver) return;
    this.isOver = true;
    const ending = this.tail?.ending() ?? 'complete';
    if (ending === 'complete') {
      this.watcher?.onWhole();
    } else if (ending === 'refused') {
      this.watcher?.onRefused();
    } else {
      this.record.isInterrupted = true;
      this.watcher?.onBroken();
    }
    if (this.tail && ending === 'unfinished') this.writeErrorEvent(this.tail, 'upstream_stream_interrupted');
    this.raw.end();
    this.awaitClient();
  }

  onBreak(): void {
    this.break('upstream_stream_interrupted');
  }

  private break(code: InterruptionCode): void {
    if (this.isOver) return;
    this.watcher?.onBroken();
    this.cut(code);
  }

  private writeErrorEvent(tail: EventStreamTail, code: InterruptionCode, written?: () => void): void {
    const event = tail.errorEvent(ApiError.interrupted(code).toBody());
    this.record.bytesOut += Buffer.byteLength(event);
    this.raw.write(event, written);
  }

  /** What came before the break is relayed, too: it may have been held until now. */
  private disconnectBehindRest(): void {
    if (this.record.bytesOut === 0) this.raw.flushHeaders();
    if (this.raw.writableLength === 0) {
      this.disconnect();
    } else {
      this.raw.write('', () => this.disconnect());
      this.awaitClient();
    }
  }

  private disconnect(): void {
    const { raw } = this;
    // A pipelined answer has no connection to cut before its turn comes.
    if (!raw.socket) raw.once('socket', () => this.disconnect());
    // To an HTTP/1.0 client the end of the connection is the end of the answer, unless it is a reset.
    else if (raw.req.httpVersionMinor === 0) raw.socket.resetAndDestroy();
    else raw.destroy();
  }

  private hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.exchange.pause();
    this.expectClient();
    this.raw.once('drain', () => this.release());
  }

  private release(): void {
    this.isHeld = false;
    if (this.isOver) return;
    this.expectUpstream();
    this.exchange.resume();
  }

  /** The upstream is done; the client still has to take what is buffered. */
  private awaitClient(): void {
    if (this.raw.writableLength > 0) this.expectClient();
    else this.deadline.clear();
  }

  private expectUpstream(): void {
    this.bytesLeft = undefined;
    if (this.limits.idleTimeoutMs > 0) this.deadline.set(performance.now() + this.limits.idleTimeoutMs);
    else this.deadline.clear();
  }

  private expectClient(): void {
    this.deadline.clear();
    if (this.limits.stallTimeoutMs === 0) return;
    // Nothing is offered to the client yet: a pipelined answer in front of this one is not complete.
    if (!this.raw.socket) {
      this.raw.once('socket', () => this.expectClient());
      return;
    }
    this.bytesLeft = bytesWaiting(this.raw);
    this.deadline.set(performance.now() + this.limits.stallTimeoutMs);
  }

  onDeadline(): void {
    if (this.bytesLeft === undefined) {
      this.break('upstream_idle_timeout');
    } else if (bytesWaiting(this.raw) !== this.bytesLeft) {
      this.expectClient();
    } else {
      this.giveUp();
      this.record.isInterrupted = true;
      this.exchange.abandon();
      this.disconnect();
    }
  }

  onClientGone(): void {
    this.deadline.clear();
    if (this.isOver) return;
    this.giveUp();
    this.exchange.abandon();
  }

  private giveUp(): void {
    if (!this.isOver) this.watcher?.onGivenUp();
    this.isOver = true;
  }
}
