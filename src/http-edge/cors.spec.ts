import { describe, expect, test } from '@jest/globals';
import { ServedPaths } from '../openai/served-paths.js';
import { corsHeaders, isForScripts, preflightHeaders } from './cors.js';

const APP = 'https://app.example';

describe('permissions', () => {
  test.each([
    [[APP], APP, APP],
    [['http://a', APP], APP, APP],
    [['*'], APP, '*'],
    [['*'], 'null', '*'],
    [['app://obsidian.md'], 'app://obsidian.md', 'app://obsidian.md'],
    [['https://*.example'], APP, APP],
    // An origin is told as it was sent: browsers compare the letters.
    [['app://a'], 'app://A', 'app://A'],
    [[APP], undefined, undefined],
    [['*'], undefined, undefined],
    [[APP], 'null', undefined],
    [[APP], 'http://app.example', undefined],
    [[APP], `${APP}:443`, undefined],
    [[APP], `${APP}/`, undefined],
    [[APP], 'https://APP.example', undefined],
    [[APP], `${APP}, https://b`, undefined],
    [[APP], 'https://sub.app.example', undefined],
    [[APP], '', undefined],
  ])('HDR-20, HDR-21: with %j, origin %j gets %j', (allowed, origin, expected) => {
    const headers = corsHeaders(allowed, origin);
    expect([headers['access-control-allow-origin'], headers['vary']]).toEqual([expected, 'Origin']);
    expect(Object.keys(headers)).toHaveLength(expected === undefined ? 1 : 3);
  });
});

test.each([
  ['/v1/models', true],
  ['/v1/nowhere', true],
  ['/v1', true],
  ['/v1?a=1', true],
  ['/chutes/a/evidence?nonce=1', true],
  ['/v1x/models', false],
  ['/metrics', false],
  ['/readyz', false],
  ['/healthz?/v1/', false],
  ['/', false],
  ['*', false],
])('HDR-28: %s is for scripts: %j', (url, result) => {
  expect(isForScripts(url)).toBe(result);
});

describe('preflights', () => {
  const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'X-A,  x-b' };

  test('HDR-22: the headers are granted as they were asked for', () => {
    expect(preflightHeaders('OPTIONS', ['POST'], asks)).toMatchObject({
      'access-control-allow-headers': 'X-A,  x-b',
      'access-control-allow-methods': 'POST',
    });
  });

  test.each([
    ['another method', 'GET', '/v1/models', asks],
    ['a path that is not served', 'OPTIONS', '/nowhere', asks],
    ['the server as a whole', 'OPTIONS', '*', asks],
    ['no method asked for', 'OPTIONS', '/v1/models', {}],
  ])('HDR-26: %s is none', (_, method, url, headers) => {
    expect(preflightHeaders(method, new ServedPaths().methodsAt(url), headers)).toBeUndefined();
  });
});
