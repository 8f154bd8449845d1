import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import type { Dialect } from '../openai/dialect.js';
import type { RequestRecord } from '../request/request-record.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { withError } from './error-shape.js';
import { EventStreamTail, isEventStream, isIdentityEncoded } from './event-stream.js';
import { toClientHeaders } from './header-policy.js';
import { type AnswerWatcher, type InterruptionCode, Relay, type RelayLimits } from './relay.socket.js';
import type { Outcome, UpstreamExchange } from './upstream-exchange.client.js';

export type Opened = Extract<Outcome, { kind: 'opened' }>;

/** Relays opened answers. */
@Injectable()
export class RelayService {
  private readonly limits: RelayLimits;
  private readonly shapesErrors: boolean;

  constructor(
    @Inject(CONFIG) { upstream, requests, attempts }: Config,
    private readonly deadlines: Deadlines,
  ) {
    this.shapesErrors = attempts.shapesErrors;
    this.limits = { idleTimeoutMs: upstream.idleTimeoutMs, stallTimeoutMs: requests.stallTimeoutMs };
  }

  /**
   * The commit: from here on the answer is the client's.
   *
   * @param ownHeaders flat, added to the upstream's.
   * @param watcher is told at once how the answer ended.
   * @param dialect what the client speaks.
   */
  relay(
    exchange: UpstreamExchange,
    { status, headers }: Opened,
    record: RequestRecord,
    ownHeaders: readonly string[] = [],
    watcher?: AnswerWatcher,
    dialect: Dialect = 'openai',
  ): void {
    const eventStream = isEventStream(headers);
    const tail = eventStream && isIdentityEncoded(headers) ? new EventStreamTail(dialect) : undefined;
    const shapedLength =
      this.shapesErrors && status >= 400
        ? exchange.replaceRefusal((body) => withError(status, body))
        : undefined;
    const head = toClientHeaders(headers, eventStream || shapedLength !== undefined);
    if (shapedLength !== undefined) head.push('content-length', String(shapedLength));
    head.push('x-request-id', record.id, ...ownHeaders);
    // What is set on the response already gives way to a header of the same name.
    const vary = record.response.getHeader('vary');
    if (typeof vary === 'string') head.push('vary', vary);

    record.phase = 'streaming';
    record.firstByteAtMs = performance.now();
    const relay = new Relay(exchange, tail, this.limits, record, watcher, this.deadlines);
    relay.start(status, head);
  }

  /** Ends an answer that is being relayed, as a broken one; any other request is left alone. */
  interrupt({ listener }: RequestRecord, code: InterruptionCode): void {
    if (listener instanceof Relay) listener.interrupt(code);
  }
}
