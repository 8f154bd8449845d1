import { type Reply, REPLIES } from '../answers/chutes-replies.js';
import type { Exchange, HeaderFields } from '../exchange.js';

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
  /** Breaks off after `afterChunks` events (default 3): a FIN in the middle of the body, or a RST with `reset`. */
  | { readonly kind: 'cut-stream'; readonly afterChunks?: number; readonly reset?: boolean }
  /** After `afterChunks` events (default 3) writes Chutes' error line, which is no event, and ends cleanly. */
  | { readonly kind: 'unframed-error'; readonly afterChunks?: number }
  /** After `afterChunks` events (default 3) says nothing more, the connection staying open. */
  | { readonly kind: 'stall'; readonly afterChunks?: number }
  | { readonly kind: PlainKind };

/** Behaviours that have nothing to set. */
type PlainKind =
  /** 503 with `{"detail":…}`. */
  | 'unavailable'
  /** 429 with nginx's HTML page. */
  | 'rate-limited'
  /** 429 with `{"detail":…}`: no capacity left. */
  | 'at-capacity'
  /** 401. */
  | 'unauthorized'
  /** 402. */
  | 'payment-required'
  /** 500. */
  | 'internal-error'
  /** 502 with nginx's HTML page. */
  | 'bad-gateway'
  /** 504 with nginx's HTML page. */
  | 'gateway-timeout'
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
  /** 200 with the body of the request, byte for byte. */
  | 'echo';

export type BehaviourKind = Behaviour['kind'];

/** The kinds that need no settings and can therefore be asked for by name. */
export type NamedKind = Exclude<BehaviourKind, 'status' | 'scripted'>;

const NAMED: Readonly<Record<NamedKind, Behaviour>> = {
  normal: { kind: 'normal' },
  unavailable: { kind: 'unavailable' },
  'rate-limited': { kind: 'rate-limited' },
  'at-capacity': { kind: 'at-capacity' },
  unauthorized: { kind: 'unauthorized' },
  'payment-required': { kind: 'payment-required' },
  'internal-error': { kind: 'internal-error' },
  'bad-gateway': { kind: 'bad-gateway' },
  'gateway-timeout': { kind: 'gateway-timeout' },
  silent: { kind: 'silent' },
  'slow-headers': { kind: 'slow-headers' },
  'headers-then-silence': { kind: 'headers-then-silence' },
  reset: { kind: 'reset' },
  close: { kind: 'close' },
  'empty-body': { kind: 'empty-body' },
  'reset-after-headers': { kind: 'reset-after-headers' },
  'cut-stream': { kind: 'cut-stream' },
  'unframed-error': { kind: 'unframed-error' },
  stall: { kind: 'stall' },
  truncated: { kind: 'truncated' },
  'no-done': { kind: 'no-done' },
  echo: { kind: 'echo' },
};

const BEHAVIOUR_OF_ID: ReadonlyMap<string, Behaviour> = new Map(
  Object.values(NAMED).map((behaviour) => [`sim/${behaviour.kind}`, behaviour]),
);

/** Catalog ids that misbehave by name, such as `sim/unavailable`; `sim/normal` answers well. */
export const SIM_MODEL_IDS: readonly string[] = [...BEHAVIOUR_OF_ID.keys()];

/** The behaviour that an id such as `sim/reset` asks for; undefined for every other id. */
export function behaviourOfId(model: string): Behaviour | undefined {
  return BEHAVIOUR_OF_ID.get(model);
}

/** The behaviours that are nothing but one complete reply, with that reply. */
export const REPLY_OF_KIND = {
  unavailable: REPLIES.unavailable,
  'rate-limited': REPLIES.unauthenticated,
  'at-capacity': REPLIES.atCapacity,
  unauthorized: REPLIES.unauthorized,
  'payment-required': REPLIES.paymentRequired,
  'internal-error': REPLIES.internalError,
  'bad-gateway': REPLIES.badGateway,
  'gateway-timeout': REPLIES.gatewayTimeout,
} as const satisfies Readonly<Partial<Record<BehaviourKind, Reply>>>;
