import { detailReply, modelNotFound, type Reply, REPLIES } from '../answers/chutes-replies.js';

/** The misbehaviours that are nothing but one complete reply, with that reply; Chutes' own words where it is Chutes. */
export const REPLY_OF_KIND = {
  /** 503 with `{"detail":…}`. */
  unavailable: REPLIES.unavailable,
  /** 503, about the model. */
  disabled: detailReply(503, 'This chute is currently disabled.'),
  /** 429 with nginx's HTML page. */
  'rate-limited': REPLIES.unauthenticated,
  /** 429 with `{"detail":…}`: no capacity left. */
  'at-capacity': REPLIES.atCapacity,
  /** 429, the same in other words. */
  'no-targets': detailReply(429, 'no_targets'),
  /** 429, about the account. */
  'free-limit': detailReply(
    429,
    'Free models limit reached for today, maximum number of free requests is 10.',
  ),
  /** 401. */
  unauthorized: REPLIES.unauthorized,
  /** 402 as it was until early 2026: a text. */
  'payment-required': REPLIES.paymentRequired,
  /** 402, about the account: an object. */
  'quota-exceeded': detailReply(402, {
    message: 'Quota exceeded and account balance is $0.0, please pay with fiat or send tao to your address.',
    quota_reset_timestamp: '2026-01-02T00:00:00Z',
  }),
  /** 402, about the account. */
  'usage-cap': detailReply(402, 'Subscription usage cap exceeded.'),
  /** 402, about the account. */
  'no-subscription': detailReply(402, 'TEE models require an active subscription'),
  /** 402, about the model: whoever deployed it owes money. */
  'creator-unpaid': detailReply(402, 'Chute unavailable because the creator has an insufficient balance.'),
  /** 404, about the model. */
  'model-not-found': modelNotFound,
  /** 404, the same in other words. */
  'no-chute': detailReply(404, 'No matching chute found!'),
  /** 426, about the model. */
  'not-tee': detailReply(426, 'This chute does not have TEE enabled.'),
  /** 500 of nobody knows what. */
  'internal-error': REPLIES.internalError,
  /** 500, about the model: all that goes wrong in an engine ends so. */
  exhausted: detailReply(500, 'exhausted all available targets to no avail'),
  /** 500, about the model. */
  'no-infrastructure': detailReply(500, 'No infrastructure available to serve request'),
  /** 502 with nginx's HTML page. */
  'bad-gateway': REPLIES.badGateway,
  /** 504 with nginx's HTML page. */
  'gateway-timeout': REPLIES.gatewayTimeout,
} as const satisfies Readonly<Record<string, Reply | ((model: string) => Reply)>>;

export type ReplyKind = keyof typeof REPLY_OF_KIND;

export const REPLY_KINDS = Object.keys(REPLY_OF_KIND) as ReplyKind[];

/** @param model as requests name it; some replies repeat it */
export function replyOf(kind: ReplyKind, model: string): Reply {
  const reply: Reply | ((model: string) => Reply) = REPLY_OF_KIND[kind];
  return typeof reply === 'function' ? reply(model) : reply;
}
