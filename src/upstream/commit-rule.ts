import { isEventStream, isIdentityEncoded } from './event-stream.js';
import { MAX_FIRST_EVENT_BYTES } from './first-event.js';
import { type FlatHeaders, headerOf } from './headers.js';
import { canExplain, MAX_REFUSAL_BYTES } from './refusal.js';

/**
 * What of an answer has to be there before it is chosen: its `headers`, the `first-byte` of its body, the `first-event` of its stream,
 * the `whole` of it, or, of a refusal, what it says of itself (`refusal-body`).
 */
export type CommitRule = 'headers' | 'first-byte' | HoldingRule;

/** Rules by which bytes are held before the choice. */
export type HoldingRule = 'first-event' | 'whole' | 'refusal-body';

/** How much is held before an answer is chosen all the same, and for how long: from its first byte on, a refusal from its headers on. */
export const HOLDS: Readonly<Record<HoldingRule, { readonly bytes: number; readonly ms: number }>> = {
  'first-event': { bytes: MAX_FIRST_EVENT_BYTES, ms: 250 },
  whole: { bytes: 1024 * 1024, ms: 2_000 },
  'refusal-body': { bytes: MAX_REFUSAL_BYTES, ms: 1_000 },
};

/** What the choice of an answer depends on besides the answer. */
export interface CommitSettings {
  /** Whether another candidate is left. */
  readonly hasNext: boolean;
  /** Whether the client asked for a stream. */
  readonly isStreamed: boolean;
  /** Statuses that move on by themselves. */
  readonly retryableStatuses: ReadonlySet<number>;
  /** Whether a 2xx that holds nothing is a failure. */
  readonly retriesEmpty: boolean;
  /** Whether errors are to have OpenAI's shape, so that those of the last candidate are read, too. */
  readonly shapesErrors: boolean;
}

/** @param canMove whether another candidate is left, and time for it. */
export function commitRule(
  status: number,
  headers: FlatHeaders,
  canMove: boolean,
  settings: CommitSettings,
): CommitRule {
  if (status >= 300) return ruleOfRefusal(status, headers, canMove, settings);
  if (!canMove) return 'first-byte';
  if (isEventStream(headers)) return isIdentityEncoded(headers) ? 'first-event' : 'first-byte';
  return !settings.isStreamed && isJson(headers) ? 'whole' : 'first-byte';
}

function ruleOfRefusal(
  status: number,
  headers: FlatHeaders,
  canMove: boolean,
  { retryableStatuses, shapesErrors }: CommitSettings,
): CommitRule {
  const movesAnyway = canMove && retryableStatuses.has(status);
  const isRead = (canMove && canExplain(status)) || (shapesErrors && status >= 400);
  return isRead && !movesAnyway && isReadable(headers) ? 'refusal-body' : 'headers';
}

function isReadable(headers: FlatHeaders): boolean {
  const length = Number(headerOf(headers, 'content-length') ?? 0);
  return length <= MAX_REFUSAL_BYTES && isIdentityEncoded(headers) && !isEventStream(headers);
}

function isJson(headers: FlatHeaders): boolean {
  return /^[ \t]*application\/(?:[^\s;]+\+)?json[ \t]*(?:;|$)/i.test(headerOf(headers, 'content-type') ?? '');
}
