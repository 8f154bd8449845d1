// Long: one exchange is one object to undici, the timers and the client, and its phases hang together.
import type { Dispatcher } from 'undici';
import type { Connecting, Connector } from '../egress/connector.factory.js';
import type { UpstreamFailure } from '../openai/error-response.js';
import type { Client, ClientListener } from '../request/request-record.js';
import { type Finding, gateFor } from './answer-gate.js';
import { type AttemptClock, timeToFirstByte, timeToHeaders } from './attempt-clock.js';
import { type CommitRule, commitRule, type CommitSettings, HOLDS } from './commit-rule.js';
import type { ConnectionSlots, Waiter } from './connection-slots.timer.js';
import type { Deadline, DeadlineListener, Deadlines } from '../runtime/deadlines.timer.js';
import { decodeHeaders, type FlatHeaders } from './headers.js';
import { HeldAnswer } from './held-answer.js';
import type { Holder, MemoryBudget } from '../runtime/memory-budget.js';
import { isPlainlyFramed } from './response-framing.js';
import { awaitEndOfTurn, type TurnListener } from '../runtime/turn.timer.js';
import { countStep } from '../runtime/turn-limit.timer.js';
import { type AttemptPhase, failureOf } from './upstream-failure.js';

/** What became of an attempt. `abandoned`: nobody wants the answer any more. */
export type Outcome =
  | (Finding & { readonly kind: 'opened'; readonly status: number; readonly headers: FlatHeaders })
  | { readonly kind: 'failed'; readonly reason: UpstreamFailure }
  | { readonly kind: 'overloaded' }
  | { readonly kind: 'abandoned' };

/** Takes the body of an opened answer. Exactly one of `onEnd` and `onBreak` is called, last. */
export interface BodySink {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onBreak(): void;
}

export interface ExchangeOptions {
  /** What an answer is judged by before it is chosen; without it, a 2xx is opened by its first byte, any other by its headers. */
  readonly commit?: CommitSettings;
  /** Of what answers in one piece may take before they are chosen. */
  readonly budget?: MemoryBudget;
  /** Whether a 2xx is opened by its headers, too: an empty body is an answer. */
  readonly opensAtHeaders?: boolean;
  /** Whoever waits for the outcome. As soon as it is gone, the exchange is abandoned. */
  readonly client?: Client;
}

/** A request body that is made of pieces. */
export interface PiecedBody extends Iterable<Buffer> {
  /** In bytes. */
  readonly length: number;
}

/** What the dispatcher is asked for; the body is sent as it stands. */
export interface UpstreamRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: string[];
  readonly body?: Buffer | PiecedBody;
}

const TIMEOUT_IN_PHASE = {
  connecting: 'upstream_connect_error',
  headers: 'upstream_header_timeout',
  'first-byte': 'upstream_first_body_byte_timeout',
} as const satisfies Record<Exclude<AttemptPhase, 'open'>, UpstreamFailure>;

const ABANDONED = new Error('The attempt was abandoned.');
/** Beyond this, a body that nobody takes yet is no longer read. */
const MAX_PENDING_BYTES = 65_536;

/**
 * One request to the upstream, from waiting for a connection to the last byte. It is undici's handler: the
 * bytes go from the parser to the sink with no stream in between.
 *
 * An answer is opened as the rule of its commit has it. One that is found wanting is opened, too, with what was found: whoever waits
 * for it has the choice, and what was held is handed over as it came.
 */
export class UpstreamExchange
  implements Dispatcher.DispatchHandler, Waiter, ClientListener, DeadlineListener, TurnListener, Holder
{
  private readonly settled = Promise.withResolvers<Outcome>();
  readonly outcome: Promise<Outcome> = this.settled.promise;

  private isSettled = false;
  private phase: AttemptPhase = 'connecting';
  private readonly deadline: Deadline;
  private controller: Dispatcher.DispatchController | undefined;
  private sentAtMs = 0;
  /** From the sending to the deadline, in milliseconds. */
  private allowedMs = 0;
  /**
   * From the sending to the first byte of a 2xx answer's body or, where that did not come in time, to the deadline; in milliseconds.
   * `undefined` while there is neither, and for whatever else became of the attempt.
   */
  firstByteMs: number | undefined;
  private status = 0;
  private headers: FlatHeaders = [];
  private sink: BodySink | undefined;
  private rule: CommitRule = 'first-byte';
  private readonly held = new HeldAnswer();
  private isAwaitingTurn = false;
  private end: 'onEnd' | 'onBreak' | undefined;
  private isPausedBySink = false;
  private hasSlot = false;
  /** The connection that is being made for this exchange. */
  private connecting: Connecting | undefined;

  constructor(
    private readonly dispatcher: Pick<Dispatcher, 'dispatch'>,
    private readonly connector: Connector,
    private readonly slots: ConnectionSlots,
    deadlines: Deadlines,
    private readonly request: UpstreamRequest,
    private readonly clock: AttemptClock,
    private readonly connectTimeoutMs: number,
    private readonly options: ExchangeOptions,
  ) {
    this.deadline = deadlines.for(this);
  }

  start(): this {
    const { client } = this.options;
    if (client?.isGone) {
      this.conclude({ kind: 'abandoned' });
      return this;
    }
    if (client) client.listener = this;
    this.slots.take(this);
    return this;
  }

  /** Ends the exchange in whatever phase it is; the upstream sees its connection close. */
  abandon(): void {
    this.slots.leave(this);
    this.conclude({ kind: 'abandoned' });
    this.abort();
  }

  /** Hands over the body if it has come in full and in one piece. There is nothing to attach to then. */
  takeWhole(): Buffer | undefined {
    return this.end === 'onEnd' ? this.held.takeOnly() : undefined;
  }

  /** Puts another body in place of a refusal's that was read in full. @returns its length in bytes, `undefined` where none was. */
  replaceRefusal(replace: (body: Buffer) => Buffer | undefined): number | undefined {
    return this.rule === 'refusal-body' && this.end === 'onEnd' ? this.held.replace(replace) : undefined;
  }

  /** Hands over the body: what has come so far at once, then the rest as it arrives. */
  attach(sink: BodySink): void {
    this.sink = sink;
    for (const chunk of this.held.takeAll()) sink.onData(chunk);
    if (this.end) sink[this.end]();
    else if (!this.isPausedBySink) this.controller?.resume();
  }

  pause(): void {
    this.isPausedBySink = true;
    this.controller?.pause();
  }

  resume(): void {
    this.isPausedBySink = false;
    this.controller?.resume();
  }

  // ClientListener

  onClientGone(): void {
    this.abandon();
  }

  // Waiter

  granted(): void {
    this.hasSlot = true;
    if (this.options.client) this.options.client.attempts += 1;
    try {
      this.connecting = this.connector.during(() =>
        this.dispatcher.dispatch(dispatchOptions(this.request), this),
      );
    } catch (error) {
      this.onResponseError(undefined, error);
      return;
    }
    // On a kept connection the request is already on its way.
    if (this.phase === 'connecting' && !this.isSettled) {
      this.deadline.set(performance.now() + this.connectTimeoutMs);
    }
  }

  timedOut(): void {
    this.conclude({ kind: 'overloaded' });
  }

  // DeadlineListener

  onDeadline(): void {
    if (this.isSettled) return;
    if (this.held.expire()) {
      this.open();
    } else if (this.phase !== 'open') {
      if (this.phase !== 'connecting') this.firstByteMs = this.allowedMs;
      this.fail(TIMEOUT_IN_PHASE[this.phase]);
    }
  }

  // TurnListener

  onEndOfTurn(): void {
    this.isAwaitingTurn = false;
    const { status, headers, rule } = this;
    // Mostly the whole of an answer came in one turn, and neither time nor memory had to be reckoned with.
    if (this.held.isUndecided && rule !== 'headers' && rule !== 'first-byte') {
      this.deadline.set(performance.now() + HOLDS[rule].ms);
      const { budget } = this.options;
      if (rule === 'whole' && budget && this.held.borrow(budget, this)) this.open();
      return;
    }
    const { finding } = this.held;
    this.conclude(
      finding ? { kind: 'opened', status, headers, ...finding } : { kind: 'opened', status, headers },
    );
  }

  // Holder

  /** It is chosen as far as it has come. */
  giveWay(): void {
    if (this.held.expire()) this.open();
  }

  // Dispatcher.DispatchHandler

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.isSettled) {
      // On a connection that was not made for this exchange alone it comes here after all.
      controller.abort(ABANDONED);
      return;
    }
    this.controller = controller;
    this.phase = 'headers';
    this.sentAtMs = performance.now();
    this.allowedMs = timeToHeaders(this.clock, this.sentAtMs);
    this.deadline.set(this.sentAtMs + this.allowedMs);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.isSettled || status < 200) return;
    if (status > 599) {
      this.fail('upstream_invalid_response');
      return;
    }
    this.status = status;
    this.headers = decodeHeaders(controller.rawHeaders as Buffer[]);
    // Nobody asked for another coding, and its bytes would be relayed without its name.
    if (!isPlainlyFramed(this.headers)) {
      this.fail('upstream_invalid_response');
      return;
    }
    this.rule = this.ruleOfCommit();
    if (this.rule === 'headers') {
      this.open();
      return;
    }
    if (this.rule === 'refusal-body') {
      this.read();
      return;
    }
    this.phase = 'first-byte';
    // Without an alternative the patient deadline is the right one still.
    if (this.clock.hasAlternative) {
      const nowMs = performance.now();
      const atMs = nowMs + timeToFirstByte(this.clock, this.sentAtMs, nowMs);
      this.allowedMs = atMs - this.sentAtMs;
      this.deadline.set(atMs);
    }
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    countStep();
    if (this.sink) {
      this.sink.onData(chunk);
      return;
    }
    if (this.phase === 'first-byte') {
      this.firstByteMs = performance.now() - this.sentAtMs;
      this.read();
    }
    const { held } = this;
    if (held.push(chunk)) this.open();
    // What is read before the choice has a bound of its own.
    if (held.bytes > MAX_PENDING_BYTES && !held.isUndecided) this.controller?.pause();
  }

  onResponseEnd(): void {
    this.releaseSlot();
    if (this.held.end()) this.open();
    if (this.phase !== 'open') this.conclude({ kind: 'failed', reason: 'upstream_empty_body' });
    else this.finish('onEnd');
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: unknown): void {
    this.releaseSlot();
    if (this.held.break()) this.open();
    if (this.phase !== 'open') this.conclude({ kind: 'failed', reason: failureOf(this.phase, error) });
    else this.finish('onBreak');
  }

  private ruleOfCommit(): CommitRule {
    const { commit, opensAtHeaders } = this.options;
    if (!commit) return this.status >= 300 || opensAtHeaders ? 'headers' : 'first-byte';
    const canMove = commit.hasNext && performance.now() <= this.clock.failoverUntilMs;
    return commitRule(this.status, this.headers, canMove, commit);
  }

  /** From here on there is an answer; whether it is chosen is open while it is read. */
  private read(): void {
    const { rule, options } = this;
    if (rule !== 'headers' && rule !== 'first-byte') {
      this.held.readBy(gateFor(rule, this.status, options.commit?.retriesEmpty === true));
    }
    this.open();
  }

  private open(): void {
    this.phase = 'open';
    if (this.isAwaitingTurn) return;
    this.isAwaitingTurn = true;
    awaitEndOfTurn(this);
  }

  private fail(reason: UpstreamFailure): void {
    this.conclude({ kind: 'failed', reason });
    this.abort();
  }

  private abort(): void {
    // undici heeds no abort while it connects.
    if (this.phase === 'connecting') this.connecting?.destroy(ABANDONED);
    else this.controller?.abort(ABANDONED);
  }

  private conclude(outcome: Outcome): void {
    this.deadline.clear();
    this.held.repay();
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.options.client) this.options.client.listener = undefined;
    this.settled.resolve(outcome);
  }

  private finish(end: 'onEnd' | 'onBreak'): void {
    this.end = end;
    this.sink?.[end]();
  }

  /**
   * undici calls exactly one of end and error, however the exchange went. Whoever waits for the slot starts
   * after that call: undici checks a kept connection for stray bytes only if nothing was queued on it then.
   */
  private releaseSlot(): void {
    if (!this.hasSlot) return;
    this.hasSlot = false;
    queueMicrotask(() => this.slots.release());
  }
}

/** undici sends any iterable, though its types do not say so, and needs to be told its length. */
function dispatchOptions(request: UpstreamRequest): Dispatcher.DispatchOptions {
  const { body } = request;
  if (body === undefined || Buffer.isBuffer(body)) return request as Dispatcher.DispatchOptions;
  const headers = [...request.headers, 'content-length', String(body.length)];
  return { ...request, headers, body: body as Iterable<Buffer> as Buffer };
}
