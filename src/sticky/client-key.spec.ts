import { createHmac } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type ClientIdentity, clientKey, keyMaterial } from './client-key.js';
import { keyedHash } from './keyed-hash.js';

const SECRET = 'secret of the tests';

/** Pieces that could be taken for borders between parts, or for parts that are not there. */
const piece = fc.constantFrom(
  'a',
  'b',
  '"',
  ',',
  '\\',
  '|',
  ':',
  ' ',
  '[',
  ']',
  '\n',
  'null',
  'token',
  'address',
);
const text = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
/** No header has an end of line. */
const token = text.map((rest) => `t${rest.replaceAll('\n', '')}`.trimEnd());
const client = fc.record({
  token: fc.option(token, { nil: undefined }),
  address: text,
  apiKey: fc.option(text, { nil: undefined }),
  session: fc.option(text, { nil: undefined }),
  conversation: fc.option(text, { nil: undefined }),
  model: text,
});
const own = fc.boolean();
type Client = typeof client extends fc.Arbitrary<infer T> ? T : never;

describe('who is who', () => {
  test('STK-4, STK-14: keys are equal just where client, session, conversation and value are', () => {
    // Each part of the second client is its own or the first one's, so that many pairs are nearly or wholly equal.
    const choice = fc.record({
      token: own,
      apiKey: own,
      address: own,
      session: own,
      conversation: own,
      model: own,
    });
    fc.assert(
      fc.property(client, client, choice, (one, another, isOwn) => {
        const other = {
          token: isOwn.token ? another.token : one.token,
          apiKey: isOwn.apiKey ? another.apiKey : one.apiKey,
          address: isOwn.address ? another.address : one.address,
          conversation: isOwn.conversation ? another.conversation : one.conversation,
          session: isOwn.session ? another.session : one.session,
          model: isOwn.model ? another.model : one.model,
        };
        expect(keyOf(one) === keyOf(other)).toBe(isSame(one, other));
      }),
      { numRuns: 1_000 },
    );
  });

  test('STK-3, STK-4: one text cut into token, session and value at other places is another key', () => {
    const cuts = fc.tuple(fc.nat(8), fc.nat(8)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 8 }), cuts, cuts, (whole, one, other) => {
        const cut = ([a, b]: readonly [number, number]) =>
          keyOf({
            ...CLIENT,
            token: `t${whole.slice(0, a)}`,
            session: whole.slice(a, b),
            model: whole.slice(b),
          });
        fc.pre(String(one) !== String(other));
        expect(cut(one)).not.toBe(cut(other));
      }),
    );
  });

  test('STK-12: the scheme may be written in any case and with more than one space', () => {
    const keys = ['Bearer cpk_1', 'bearer cpk_1', 'BEARER cpk_1', 'bEaReR \t cpk_1'].map((authorization) =>
      keyWith({ authorization }),
    );
    expect(new Set(keys).size).toBe(1);
  });

  test('STK-12: a token is the same client from any address, and its case counts', () => {
    const key = keyWith({ authorization: 'Bearer cpk_1' });
    expect(keyWith({ authorization: 'Bearer cpk_1', address: () => '198.51.100.9' })).toBe(key);
    expect(keyWith({ authorization: 'Bearer CPK_1' })).not.toBe(key);
  });

  test('STK-12: with a token nobody asks for the address', () => {
    const address = jest.fn(() => '203.0.113.1');
    keyWith({ authorization: 'Bearer cpk_1', address });
    expect(address).not.toHaveBeenCalled();
  });

  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic Y3BrOmE=', 'Bearercpk_1', 'cpk_1'])(
    'STK-13: without a bearer token the address counts: %j',
    (authorization) => {
      const key = keyWith({ authorization });
      expect(keyWith({ authorization: undefined })).toBe(key);
      expect(keyWith({ authorization, address: () => '198.51.100.9' })).not.toBe(key);
    },
  );

  test('STK-13: an address is not the token that reads like it', () => {
    expect(keyWith({ address: () => 'cpk_1' })).not.toBe(keyWith({ authorization: 'Bearer cpk_1' }));
  });
});

describe('x-api-key', () => {
  test('STK-41: is the client where there is no bearer token, from any address', () => {
    const key = keyWith({ apiKey: 'sk-1' });
    expect(keyWith({ apiKey: 'sk-1', address: () => '198.51.100.9' })).toBe(key);
    expect(keyWith({ apiKey: 'sk-2' })).not.toBe(key);
    expect(keyWith({ authorization: 'Bearer sk-1' })).not.toBe(key);
    expect(keyWith({ authorization: 'Bearer t', apiKey: 'sk-1' })).toBe(
      keyWith({ authorization: 'Bearer t' }),
    );
    expect(keyWith({ apiKey: '' })).toBe(keyWith({}));
  });
});

describe('what spreads clients', () => {
  test('POL-16: tells them apart as their keys for one value do', () => {
    fc.assert(
      fc.property(client, client, fc.boolean(), (one, another, isOther) => {
        const other = isOther ? another : { ...one, session: another.session };
        const isEqual = isSame({ ...one, model: 'm' }, { ...other, model: 'm' });
        expect(keyMaterial(identityOf(one)) === keyMaterial(identityOf(other))).toBe(isEqual);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what a key shows', () => {
  test('STK-15: it is the HMAC-SHA-256 of client, session and value under the secret', () => {
    expect(keyOf({ ...CLIENT, session: 's' })).toBe(hmac('["token","t","s",null]\nm'));
    expect(keyOf({ ...CLIENT, token: undefined })).toBe(hmac('["address","203.0.113.1",null,null]\nm'));
    expect(keyOf({ ...CLIENT, token: undefined, apiKey: 'k' })).toBe(hmac('["api-key","k",null,null]\nm'));
    expect(keyOf({ ...CLIENT, conversation: 'c' })).toBe(hmac('["token","t",null,"c"]\nm'));
  });

  test('STK-15: another secret makes another key', () => {
    expect(keyOf(CLIENT, 'another secret')).not.toBe(keyOf(CLIENT));
  });

  test('STK-15: its length is the same for every client and says nothing', () => {
    fc.assert(
      fc.property(client, (one) => {
        expect(keyOf(one)).toMatch(/^[A-Za-z0-9+/]{43}=$/);
      }),
    );
  });
});

function hmac(message: string): string {
  return createHmac('sha256', SECRET).update(message).digest('base64');
}

const CLIENT: Client = {
  token: 't',
  apiKey: undefined,
  address: '203.0.113.1',
  session: undefined,
  conversation: undefined,
  model: 'm',
};

function keyOf(its: Client, secret = SECRET): string {
  return clientKey(keyedHash(secret), identityOf(its), its.model);
}

function identityOf({ token: bearer, apiKey, address, session, conversation }: Client): ClientIdentity {
  const authorization = bearer === undefined ? undefined : `Bearer ${bearer}`;
  return { authorization, apiKey, address: () => address, session, conversation };
}

const NOBODY: ClientIdentity = {
  authorization: undefined,
  apiKey: undefined,
  address: () => '203.0.113.1',
  session: undefined,
  conversation: undefined,
};

function keyWith(identity: Partial<ClientIdentity>): string {
  return clientKey(keyedHash(SECRET), { ...NOBODY, ...identity }, 'm');
}

function isSame(one: Client, other: Client): boolean {
  return (
    callerOf(one) === callerOf(other) &&
    one.session === other.session &&
    one.conversation === other.conversation &&
    one.model === other.model
  );
}

/** With a space in front, which no token begins with. */
function callerOf({ token: bearer, apiKey, address }: Client): string {
  return bearer ?? (apiKey ? ` key ${apiKey}` : ` address ${address}`);
}
