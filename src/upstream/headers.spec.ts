import { describe, expect, test } from '@jest/globals';
import { asHeaderValue, headerOf, toClientHeaders, toUpstreamHeaders } from './headers.js';

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
