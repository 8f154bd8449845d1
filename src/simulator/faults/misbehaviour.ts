import type { Exchange, HeaderFields } from '../exchange.js';
import type { ErrorForm, StreamedError } from './error-events.js';
import { REPLY_KINDS, type ReplyKind } from './replies.js';

/** Everything a simulated model can do instead of answering well. Times are in milliseconds. */
export type Behaviour =
  /** Answers well, at its own pace if one is given. */
  | {
      readonly kind: 'normal';
      readonly firstTokenMs?: number;
      readonly tokenMs?: number;
      readonly tokens?: number;
    }
  /** Answers with exactly this status, headers and body. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: HeaderFields;
      readonly body?: string | Buffer;
    }
  /** Does what the script says; when the script returns, an answer that has begun is ended. */
  | { readonly kind: 'scripted'; readonly script: (exchange: Exchange) => Promise<void> | void }
  /** Answers well, but only after `ms` (default 2000). */
  | { readonly kind: 'slow-headers'; readonly ms?: number }
  /** Sends its headers at once and answers well, but only after `ms` (default 2000). */
  | { readonly kind: 'slow-first-token'; readonly ms?: number }
  /** Breaks off after `afterChunks` events (default 3): a FIN in the middle of the body, or a RST with `reset`. */
  | { readonly kind: 'cut-stream'; readonly afterChunks?: number; readonly reset?: boolean }
  /** After `afterChunks` events (default 3) writes Chutes' error line, which is no event, and ends cleanly. */
  | { readonly kind: 'unframed-error'; readonly afterChunks?: number }
  /**
   * After `afterChunks` events (default 3; with 0 it is the first one) writes an error in `form` (default `framed`) and
   * what `followedBy` names, then ends cleanly.
   */
  | (StreamedError & {
      readonly kind: 'error-event';
      readonly afterChunks?: number;
      readonly form?: ErrorForm;
      readonly followedBy?: 'done' | 'comment';
    })
  /** After `afterChunks` events (default 3) ends cleanly, with neither a finish reason nor `[DONE]`. */
  | { readonly kind: 'unfinished'; readonly afterChunks?: number }
  /** After `afterChunks` events (default 3) says nothing more, the connection staying open. */
  | { readonly kind: 'stall'; readonly afterChunks?: number }
  | { readonly kind: PlainKind | ReplyKind };

/** Behaviours that have nothing to set. */
type PlainKind =
  /** Never sends a byte. */
  | 'silent'
  /** 200 and headers, then never a byte of the body. */
  | 'headers-then-silence'
  /** RST before any byte. */
  | 'reset'
  /** FIN before any byte. */
  | 'close'
  /** 200 with a body of no bytes. */
  | 'empty-body'
  /** 200 and headers, then RST before the first byte of the body. */
  | 'reset-after-headers'
  /** Promises a `Content-Length`, closes when half of it is sent. */
  | 'truncated'
  /** A stream that ends cleanly, but without `data: [DONE]`. */
  | 'no-done'
  /** A good answer that says nothing at all. */
  | 'empty-answer'
  /** 200 with the body of the request, byte for byte. */
  | 'echo';

export type BehaviourKind = Behaviour['kind'];

/** Misbehaviours that can be asked for by name alone. */
const NAMED = {
  normal: { kind: 'normal' },
  silent: { kind: 'silent' },
  'slow-headers': { kind: 'slow-headers' },
  'slow-first-token': { kind: 'slow-first-token' },
  'headers-then-silence': { kind: 'headers-then-silence' },
  reset: { kind: 'reset' },
  close: { kind: 'close' },
  'empty-body': { kind: 'empty-body' },
  'reset-after-headers': { kind: 'reset-after-headers' },
  'cut-stream': { kind: 'cut-stream' },
  'unframed-error': { kind: 'unframed-error' },
  'error-event': { kind: 'error-event' },
  'error-event-pretty': { kind: 'error-event', form: 'pretty' },
  'error-event-then-done': { kind: 'error-event', followedBy: 'done' },
  'error-event-then-comment': { kind: 'error-event', followedBy: 'comment' },
  'unframed-error-pretty': { kind: 'error-event', form: 'unframed-pretty' },
  'first-event-error': { kind: 'error-event', afterChunks: 0 },
  'first-event-unframed-error': { kind: 'error-event', afterChunks: 0, form: 'unframed' },
  'first-event-anthropic-error': { kind: 'error-event', afterChunks: 0, form: 'anthropic' },
  'first-event-refusal': { kind: 'error-event', afterChunks: 0, code: 400, followedBy: 'done' },
  unfinished: { kind: 'unfinished' },
  stall: { kind: 'stall' },
  truncated: { kind: 'truncated' },
  'no-done': { kind: 'no-done' },
  'empty-answer': { kind: 'empty-answer' },
  echo: { kind: 'echo' },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** The names of misbehaviours. */
export type NamedKind = keyof typeof NAMED | ReplyKind;

const BEHAVIOUR_OF_NAME: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ...Object.entries(NAMED),
  ...REPLY_KINDS.map((kind) => [kind, { kind }] as const),
]);

/** Catalog ids that misbehave by name, such as `sim/unavailable`; `sim/normal` answers well. */
export const SIM_MODEL_IDS: readonly string[] = [...BEHAVIOUR_OF_NAME.keys()].map((name) => `sim/${name}`);

export function behaviourNamed(name: NamedKind): Behaviour {
  return BEHAVIOUR_OF_NAME.get(name) ?? { kind: 'normal' };
}

/** The behaviour that an id such as `sim/reset` asks for; undefined for every other id. */
export function behaviourOfId(model: string): Behaviour | undefined {
  return model.startsWith('sim/') ? BEHAVIOUR_OF_NAME.get(model.slice('sim/'.length)) : undefined;
}
