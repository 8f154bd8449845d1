import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiError } from '../openai/api-error.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { RequestTrace } from './request-trace.js';

export type Mode = 'alias' | 'list' | 'direct' | 'none';

export const ABORT_PHASES = ['upload', 'waiting', 'streaming'] as const;
/** How far a request had come when its client left. */
export type AbortPhase = (typeof ABORT_PHASES)[number];

const NOTHING: readonly never[] = [];

/** How many models were left out for what reason. */
export type ExclusionCounts = readonly (readonly [reason: string, models: number])[];

/**
 * One request, and what it leaves in metrics and log. Filled in as it walks through the rooms. Times are monotonic
 * milliseconds.
 */
export class RequestRecord implements Client {
  mode: Mode = 'none';
  phase: AbortPhase = 'upload';
  candidates = 0;
  /** In alias mode, and by which order. */
  alias: string | undefined;
  sort: string | undefined;
  /** The names of what it needs of a model. */
  needs: readonly string[] = NOTHING;
  /** Whether it followed a pin. */
  isPinned = false;
  /** Whether it was decided and not sent. */
  isDryRun = false;
  /** Of the catalog's models, or of the items of a list. Shared, never written to. */
  excluded: ExclusionCounts = NOTHING;
  attempts = 0;
  /** The reason of every failed attempt, in order. */
  readonly failovers: FailureReason[] = [];
  /** The model that answered, as a label: a catalog id or `other`. */
  model: string | undefined;
  bytesIn = 0;
  bytesOut = 0;
  firstByteAtMs: number | undefined;
  /** Set where the router itself ends an answer early. */
  isInterrupted = false;
  /** Set where the client has the whole answer though its response is still open. */
  isDelivered = false;
  isGone = false;
  /** Set while nothing is chosen yet, but the client has been given a stream. */
  early: EarlyAnswer | undefined;
  listener: ClientListener | undefined;

  /**
   * @param isCounted whether the metrics count this request.
   * @param trace where traces are wanted
   */
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly id: string,
    readonly traceId: string | undefined,
    readonly startedAtMs: number,
    readonly isCounted: boolean,
    readonly trace?: RequestTrace,
  ) {}

  /** The connection lets go of the response. */
  leave(): void {
    const { listener } = this;
    this.isGone = true;
    this.listener = undefined;
    listener?.onClientGone();
  }

  /** The router answers by itself. */
  answered(body: string | Buffer, nowMs: number): void {
    this.firstByteAtMs = nowMs;
    this.bytesOut = Buffer.byteLength(body);
  }
}

/** An answer that was begun before it was known which it would be. */
export interface EarlyAnswer {
  /** Ends it well, with the error in it. */
  fail(error: ApiError): void;
}

/** Who waits for an answer. */
export interface Client {
  /** Whether the connection has let go of the response, finished or not. */
  readonly isGone: boolean;
  /** How many exchanges have been given a connection for it. */
  attempts: number;
  /** Who has to know when it does, one at a time: an attempt, then a relay. */
  listener: ClientListener | undefined;
}

/** An object and not a function: with a new function in this place V8 keeps each request until a full collection. */
export interface ClientListener {
  onClientGone(): void;
}

export type Ending = 'complete' | 'interrupted' | 'client_gone';

/** nginx's status for a client that went away before its answer was complete. */
export const CLIENT_CLOSED_REQUEST = 499;

export function endingOf(record: RequestRecord, isFinished: boolean): Ending {
  if (record.isInterrupted) return 'interrupted';
  return isFinished || record.isDelivered ? 'complete' : 'client_gone';
}

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** Whether a client's `X-Request-Id` may stand for the request. */
export function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && VISIBLE_ASCII.test(value);
}

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-.*)?$/;

/** The trace id of a valid W3C `traceparent`. Version 00 has no further fields. */
export function traceIdOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== 'string') return undefined;
  if (traceparent.startsWith('00-') && traceparent.length !== 55) return undefined;
  return TRACEPARENT.exec(traceparent)?.[1];
}
