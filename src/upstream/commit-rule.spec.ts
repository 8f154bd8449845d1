import { describe, expect, test } from '@jest/globals';
import { type CommitRule, commitRule, type CommitSettings, HOLDS } from './commit-rule.js';
import type { FlatHeaders } from './headers.js';

const EVENT_STREAM = ['Content-Type', 'text/event-stream; charset=utf-8'];
const JSON_TYPE = ['Content-Type', 'application/json'];
const GZIP = ['Content-Encoding', 'gzip'];
const settings: CommitSettings = {
  hasNext: true,
  isStreamed: false,
  retryableStatuses: new Set([502, 503, 504]),
  retriesEmpty: false,
  shapesErrors: false,
};

function ruleOf(status: number, headers: FlatHeaders, changed: Partial<CommitSettings> = {}): CommitRule {
  return commitRule(status, headers, true, { ...settings, ...changed });
}

function lastRuleOf(status: number, headers: FlatHeaders, changed: Partial<CommitSettings> = {}): CommitRule {
  return commitRule(status, headers, false, { ...settings, ...changed });
}

describe('while another candidate is left', () => {
  test.each<[string, string, number, string[], CommitRule]>([
    ['ATT-55', 'an event stream', 200, EVENT_STREAM, 'first-event'],
    ['ATT-55', 'an event stream with another 2xx', 206, EVENT_STREAM, 'first-event'],
    ['ATT-4', 'a compressed one', 200, [...EVENT_STREAM, ...GZIP], 'first-byte'],
    [
      'ATT-55',
      'one that says it is not',
      200,
      [...EVENT_STREAM, 'content-encoding', 'identity'],
      'first-event',
    ],
    ['ATT-64', 'JSON', 200, JSON_TYPE, 'whole'],
    ['ATT-64', 'JSON with a charset', 200, ['content-type', 'Application/JSON ; charset=utf-8'], 'whole'],
    ['ATT-64', 'JSON of a kind', 200, ['content-type', 'application/problem+json'], 'whole'],
    ['ATT-64', 'compressed JSON', 200, [...JSON_TYPE, ...GZIP], 'whole'],
    ['ATT-4', 'JSON lines', 200, ['content-type', 'application/jsonl'], 'first-byte'],
    ['ATT-4', 'text', 200, ['content-type', 'text/plain; x=application/json'], 'first-byte'],
    ['ATT-4', 'what has no type', 200, [], 'first-byte'],
    ['ATT-5', 'a redirect', 302, JSON_TYPE, 'headers'],
  ])('%s: %s', (_clause, _, status, headers, rule) => {
    expect(ruleOf(status, headers)).toBe(rule);
  });

  test('ATT-64: JSON in answer to a request that asked for a stream is not awaited', () => {
    expect(ruleOf(200, JSON_TYPE, { isStreamed: true })).toBe('first-byte');
    expect(ruleOf(200, EVENT_STREAM, { isStreamed: true })).toBe('first-event');
  });

  test.each([400, 402, 404, 426, 429, 500])('ATT-67: a %i is read', (status) => {
    for (const headers of [JSON_TYPE, [], ['content-length', '16384'], ['content-type', 'text/html']]) {
      expect(ruleOf(status, headers)).toBe('refusal-body');
    }
  });

  test.each([401, 403, 408, 413, 422, 501, 502, 503, 504, 529])('ATT-67: a %i is not', (status) => {
    expect(ruleOf(status, JSON_TYPE)).toBe('headers');
  });

  test.each([
    ['compressed', GZIP],
    ['longer than 16 KiB', ['content-length', '16385']],
    ['an event stream', EVENT_STREAM],
  ])('ATT-67: nor is one whose body is %s', (_, headers) => {
    expect(ruleOf(400, headers)).toBe('headers');
  });

  test('ATT-10: nor is one that moves on by its status', () => {
    expect(ruleOf(500, JSON_TYPE, { retryableStatuses: new Set([500]) })).toBe('headers');
  });
});

describe('of the last candidate', () => {
  test.each<[string, number, string[], CommitRule]>([
    ['an event stream', 200, EVENT_STREAM, 'first-byte'],
    ['JSON', 200, JSON_TYPE, 'first-byte'],
    ['a 400', 400, JSON_TYPE, 'headers'],
    ['a 429', 429, JSON_TYPE, 'headers'],
    ['a 503', 503, JSON_TYPE, 'headers'],
  ])('ATT-4, ATT-5: %s', (_, status, headers, rule) => {
    expect(lastRuleOf(status, headers)).toBe(rule);
  });
});

describe('with ERROR_SHAPE=openai', () => {
  test.each([400, 401, 403, 413, 422, 429, 500, 503, 599])(
    'ERR-31: a %i of the last candidate is read',
    (status) => {
      expect(lastRuleOf(status, JSON_TYPE, { shapesErrors: true })).toBe('refusal-body');
    },
  );

  test.each<[string, number, string[]]>([
    ['a redirect', 302, JSON_TYPE],
    ['a compressed body', 400, GZIP],
    ['a large body', 400, ['content-length', '20000']],
    ['an event stream', 400, EVENT_STREAM],
  ])('ERR-31: %s is not', (_, status, headers) => {
    expect(lastRuleOf(status, headers, { shapesErrors: true })).toBe('headers');
  });

  test('ERR-31: nor is one that moves on', () => {
    expect(ruleOf(503, JSON_TYPE, { shapesErrors: true })).toBe('headers');
    expect(ruleOf(401, JSON_TYPE, { shapesErrors: true })).toBe('refusal-body');
  });

  test('ERR-31: a 2xx is chosen as ever', () => {
    expect(lastRuleOf(200, JSON_TYPE, { shapesErrors: true })).toBe('first-byte');
  });
});

test.each([
  ['ATT-55', 'first-event', { bytes: 16_384, ms: 250 }],
  ['ATT-64', 'whole', { bytes: 1_048_576, ms: 2_000 }],
  ['ATT-67', 'refusal-body', { bytes: 16_384, ms: 1_000 }],
] as const)('%s: what is held for %s has its bounds', (_clause, rule, bounds) => {
  expect(HOLDS[rule]).toEqual(bounds);
});
