declare const brand: unique symbol;

/** Stands for one client and one value of `model`. A keyed hash: nothing of the client can be read from it. */
export type ClientKey = string & { readonly [brand]: 'ClientKey' };

export interface ClientIdentity {
  /** The value of `Authorization`. */
  readonly authorization: string | undefined;
  /** The value of `x-api-key`, where clients of Anthropic's have theirs. Counts where there is no bearer token. */
  readonly apiKey?: string | undefined;
  /** Asked for only where there is neither. */
  readonly address: () => string;
  /** What the request names as its session. */
  readonly session: string | undefined;
  /** A digest of how the conversation begins, where each has a pin of its own. */
  readonly conversation?: string | undefined;
}

const BEARER = /^bearer[ \t]+(\S.*)$/i;

/**
 * What tells a client from others, as one text: two are equal just where client, session and conversation are. It holds the token, so
 * it is hashed and never kept.
 */
export function keyMaterial(client: ClientIdentity): string {
  // As JSON the parts cannot run into each other: a session is never taken for the tail of a token.
  return JSON.stringify([...whoIs(client), client.session, client.conversation]);
}

/** @param keyedHash HMAC-SHA-256 */
export function clientKey(
  keyedHash: (text: string) => string,
  client: ClientIdentity,
  modelValue: string,
): ClientKey {
  // Of lines, JSON is a single one.
  return keyedHash(`${keyMaterial(client)}\n${modelValue}`) as ClientKey;
}

function whoIs({
  authorization,
  apiKey,
  address,
}: Pick<ClientIdentity, 'authorization' | 'apiKey' | 'address'>): readonly [kind: string, who: string] {
  const token = BEARER.exec(authorization ?? '')?.[1];
  if (token !== undefined) return ['token', token];
  return apiKey ? ['api-key', apiKey] : ['address', address()];
}
