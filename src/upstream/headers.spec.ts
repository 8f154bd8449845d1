import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { toClientHeaders, toUpstreamHeaders } from './header-policy.js';
import { asHeaderValue, decodeHeaders, headerOf } from './headers.js';

const ADDED = ['accept-encoding', 'identity', 'x-request-id', 'req-1'];

const HOP_BY_HOP = [
  'Connection',
  'Keep-Alive',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Proxy-Anything',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'HTTP2-Settings',
];

/** What passes of each header when there is no other. */
function alone(pass: (raw: string[]) => string[], raw: readonly [string, string][]): string[] {
  return raw.flatMap((header) => pass([...header]));
}

describe('whatever came before', () => {
  // Of the same lengths, so that messages are easily taken for one another.
  const names = fc.constantFrom('x-ab', 'x-ba', 'X-AB', 'host', 'HOST', 'date', 'via', 'cf-', 'te', 'TE');
  const messages = fc.array(fc.array(fc.tuple(names, fc.constantFrom('1', '2')), { maxLength: 3 }), {
    maxLength: 20,
  });

  test.each<[string, (raw: string[]) => string[]]>([
    ['the upstream', (raw) => toUpstreamHeaders(raw, 'req-1').slice(0, -ADDED.length)],
    ['the client', (raw) => toClientHeaders(raw, false)],
    ['the client, without the length', (raw) => toClientHeaders(raw, true)],
  ])('HDR-1, HDR-3: each header passes to %s as it would alone', (_, pass) => {
    fc.assert(
      fc.property(messages, (all) => {
        for (const raw of all) expect(pass(raw.flat())).toEqual(alone(pass, raw));
      }),
    );
  });
});

describe('to the upstream', () => {
  test.each(HOP_BY_HOP)('HDR-1: %s stays behind', (name) => {
    expect(toUpstreamHeaders([name, 'x', name.toLowerCase(), 'x'], 'req-1')).toEqual(ADDED);
  });

  test.each([
    ['one header', ['Connection', 'x-one', 'X-One', '1', 'X-Two', '2'], ['X-Two', '2']],
    [
      'several, with white space',
      ['connection', 'keep-alive , X-ONE,\tx-two', 'x-one', '1', 'x-two', '2'],
      [],
    ],
    ['several times', ['Connection', 'x-one', 'x-one', '1', 'CONNECTION', 'x-two', 'x-two', '2'], []],
    ['what comes before it', ['x-one', '1', 'Connection', 'x-one'], []],
  ])('HDR-2: Connection names %s', (_, sent, expected) => {
    expect(toUpstreamHeaders(sent, 'req-1')).toEqual([...expected, ...ADDED]);
  });

  test('HDR-3: all others pass in their order, case and number', () => {
    const others = [
      ['Authorization', 'Bearer t'],
      ['content-type', 'application/json'],
      ['User-Agent', 'me'],
      ['X-Custom', 'a'],
      ['x-custom', 'b'],
      ['traceparent', '00-1-2-01'],
      ['X-Forward', 'no address'],
      ['cfx', 'no address'],
    ].flat();
    expect(toUpstreamHeaders(others, 'req-1')).toEqual([...others, ...ADDED]);
  });

  test.each([
    'Host',
    'Content-Length',
    'Expect',
    'Cookie',
    'x-chutes-autopilot-selected',
    'X-Chutes-Autopilot-Z',
  ])('HDR-4: %s stays behind', (name) => {
    expect(toUpstreamHeaders([name, 'x'], 'req-1')).toEqual(ADDED);
  });

  test.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Anything',
    'X-Original-Forwarded-For',
    'X-Original-URL',
    'X-Real-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'CF-Ray',
    'Fastly-Client-IP',
    'X-Envoy-External-Address',
    'Via',
  ])('HDR-5, HDR-6: %s stays behind, with _ for -, too', (name) => {
    const underscored = name.replaceAll('-', '_');
    const mixed = name.replace('-', '_');
    const sent = [name, underscored, mixed, underscored.toLowerCase()].flatMap((one) => [one, 'x']);
    expect(toUpstreamHeaders(sent, 'req-1')).toEqual(ADDED);
  });

  test('HDR-7, HDR-8: the encoding and the id are the router’s own', () => {
    const sent = ['Accept-Encoding', 'gzip, br', 'X-Request-Id', 'mine'];
    expect(toUpstreamHeaders(sent, 'req-1')).toEqual(ADDED);
  });
});

describe('from the upstream', () => {
  const names = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const parts = fc.array(names, { minLength: 2, maxLength: 20 });

  /** Where names and values may lie in memory. `at` is any number. */
  const layouts: readonly [string, (parts: readonly Buffer[], at: number) => Buffer[]][] = [
    ['in one buffer', (all) => inOneBuffer(all, { gap: 2 })],
    ['without anything in between', (all) => inOneBuffer(all, { gap: 0 })],
    [
      'one of them elsewhere',
      (all, at) =>
        inOneBuffer(all, { gap: 2 }).map((bytes, i) => (i === at % all.length ? elsewhere(bytes) : bytes)),
    ],
    ['each of them elsewhere', (all) => inOneBuffer(all, { gap: 2 }).map(elsewhere)],
    ['backwards', (all) => inOneBuffer(all.toReversed(), { gap: 2 }).toReversed()],
    [
      'from the middle on',
      (all, at) => rotated(inOneBuffer(rotated(all, at), { gap: 2 }), all.length - (at % all.length)),
    ],
    ['far apart', (all) => inOneBuffer(all, { gap: 10_000 })],
  ];

  test.each(layouts)('HDR-9: each byte is a character: %s', (_, layOut) => {
    fc.assert(
      fc.property(parts, fc.nat(), (all, at) => {
        const raw = layOut(all, at);
        expect(decodeHeaders(raw)).toEqual(all.map((bytes) => bytes.toString('latin1')));
      }),
    );
  });

  test('HDR-9: each byte is a character: all that there are, in order', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const [name, value] = decodeHeaders([all.subarray(0, 1), all.subarray(1)]);
    expect(name).toBe('\0');
    expect(Array.from(value ?? '', (character) => character.charCodeAt(0))).toEqual([...all.subarray(1)]);
  });

  test('HDR-9: none are none', () => {
    expect(decodeHeaders([])).toEqual([]);
  });
});

describe('to the client', () => {
  test.each(HOP_BY_HOP)('HDR-1: %s stays behind', (name) => {
    expect(toClientHeaders([name, 'x', name.toLowerCase(), 'x'], false)).toEqual([]);
  });

  test('HDR-2: what any Connection names stays behind', () => {
    const sent = [
      'x-one',
      '1',
      'Connection',
      'close, X-One',
      'connection',
      'x-two',
      'X-Two',
      '2',
      'X-Three',
      '3',
    ];
    expect(toClientHeaders(sent, false)).toEqual(['X-Three', '3']);
  });

  test('HDR-9: all others pass in their order, case and number', () => {
    const others = [
      ['Content-Type', 'application/json'],
      ['content-length', '2'],
      ['X-Chutes-Quota-Used', '1'],
      ['Link', '<a>'],
      ['link', '<b>'],
      ['Content-Encoding', 'gzip'],
      ['Retry-After', '7'],
    ].flat();
    expect(toClientHeaders(others, false)).toEqual(others);
  });

  test.each([
    'Set-Cookie',
    'Alt-Svc',
    'Strict-Transport-Security',
    'Clear-Site-Data',
    'Access-Control-Allow-Origin',
    'Access-Control-Anything',
    'X-Request-Id',
    'X-Chutes-Autopilot-Selected',
    'x-chutes-autopilot-anything',
  ])('HDR-10: %s stays behind', (name) => {
    expect(toClientHeaders([name, 'x', name.toUpperCase(), 'x'], false)).toEqual([]);
  });

  test('ATT-40: the length is left out where something may be added', () => {
    expect(toClientHeaders(['Content-Length', '2', 'x', '1', 'content-length', '2'], true)).toEqual([
      'x',
      '1',
    ]);
  });
});

describe('a header', () => {
  test('HDR-9: is found in any case, the first of several', () => {
    expect(headerOf(['a', '1', 'X-Key', '2', 'x-key', '3'], 'x-key')).toBe('2');
    expect(headerOf(['x-key-2', '1'], 'x-key')).toBeUndefined();
  });

  test.each([
    ['deepseek-ai/DeepSeek-V3', 'deepseek-ai/DeepSeek-V3'],
    ['with space inside', 'with space inside'],
    [' with space before', '%20with%20space%20before'],
    ['with space after ', 'with%20space%20after%20'],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ['模型/一', '%E6%A8%A1%E5%9E%8B%2F%E4%B8%80'],
    ['line\r\nbreak: x', 'line%0D%0Abreak%3A%20x'],
    ['tab\tinside', 'tab%09inside'],
    ['del\x7f', 'del%7F'],
  ])('HDR-13: the model %j becomes %j', (model, expected) => {
    expect(asHeaderValue(model)).toBe(expected);
  });
});

/** The same bytes one behind the other in one piece of memory, with other bytes in between. */
function inOneBuffer(parts: readonly Buffer[], { gap }: { gap: number }): Buffer[] {
  const length = parts.reduce((sum, { length: own }) => sum + gap + own, gap);
  const whole = Buffer.alloc(length, '#');
  let start = gap;
  return parts.map((part) => {
    const place = whole.subarray(start, start + part.length);
    part.copy(place);
    start += part.length + gap;
    return place;
  });
}

/** Moves bytes to the same place of another piece of memory. */
function elsewhere(bytes: Buffer): Buffer {
  const memory = Buffer.alloc(bytes.byteOffset + bytes.length);
  bytes.copy(memory, bytes.byteOffset);
  bytes.fill('#');
  return memory.subarray(bytes.byteOffset);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
