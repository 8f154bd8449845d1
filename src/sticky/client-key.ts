declare const brand: unique symbol;

/** Stands for one client and one value of `model`. A keyed hash: nothing of the client can be read from it. */
export type ClientKey = string & { readonly [brand]: 'ClientKey' };

export interface ClientIdentity {
  /** The value of `Authorization`. */
  readonly authorization: string | undefined;
  /** Asked for only where there is no bearer token. */
  readonly address: () => string;
  /** The value of the session header. */
  readonly session: string | undefined;
}

const BEARER = /^bearer[ \t]+(\S.*)$/i;

/** @param keyedHash HMAC-SHA-256 */
export function clientKey(
  keyedHash: (text: string) => string,
  client: ClientIdentity,
  modelValue: string,
): ClientKey {
  const token = BEARER.exec(client.authorization ?? '')?.[1];
  const parts = [
    token === undefined ? 'address' : 'token',
    token ?? client.address(),
    client.session,
    modelValue,
  ];
  // As JSON the parts cannot run into each other: a session is never taken for the tail of a token.
  return keyedHash(JSON.stringify(parts)) as ClientKey;
}
