import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../upstream/answer-gate.js';
import type { Outcome } from '../upstream/upstream-exchange.client.js';
import { type Verdict, verdict } from './verdict.js';

const settings = { retryableStatuses: new Set([502, 503]), failsOverOnCapacity: false, hasLarger: false };
const opened = (status: number, finding: Finding = {}): Outcome => ({
  kind: 'opened',
  status,
  headers: [],
  ...finding,
});
const failed: Outcome = { kind: 'failed', reason: 'upstream_reset' };

describe('what follows from an attempt', () => {
  const situation = { canMove: true, ...settings };

  test.each([
    ['ATT-10', 'a retryable status', opened(503)],
    ['ATT-8', 'a failure', failed],
  ])('%s: after %s another candidate gets its turn', (_clause, _, outcome) => {
    expect(verdict(outcome, situation).kind).toBe('next');
  });

  test.each([
    ['ATT-6', 200],
    ['ATT-30', 302],
    ['ATT-14', 401],
    ['ATT-13', 429],
    ['ATT-14', 504],
  ])('%s: a %i is relayed', (_clause, status) => {
    expect(verdict(opened(status), situation).kind).toBe('relay');
  });

  test.each<[string, Outcome]>([
    ['no connection in time', { kind: 'overloaded' }],
    ['a client that left', { kind: 'abandoned' }],
  ])('ATT-25, ATT-29: after %s there is no other attempt', (_, outcome) => {
    expect(verdict(outcome, situation).kind).toBe('stop');
  });

  test.each<[string, Outcome, Verdict['kind']]>([
    ['a 200', opened(200), 'relay'],
    ['a retryable status', opened(503), 'relay'],
    ['a failure', failed, 'stop'],
    ['no connection in time', { kind: 'overloaded' }, 'stop'],
  ])('ATT-15: %s, when no other candidate is left, or it is too late to try it', (_, outcome, expected) => {
    expect(verdict(outcome, { canMove: false, ...settings }).kind).toBe(expected);
  });
});

describe('why an attempt failed', () => {
  test.each<[string, string, Outcome, string | undefined]>([
    ['OBS-6', 'a failure has its reason', failed, 'upstream_reset'],
    ['OBS-6', 'a retryable status is one', opened(503), 'upstream_503'],
    ['OBS-5', 'another status is none', opened(429), undefined],
    ['OBS-5', 'a 200 is none', opened(200), undefined],
    ['ATT-25', 'waiting for a connection is none', { kind: 'overloaded' }, undefined],
    ['ATT-29', 'a client that left is none', { kind: 'abandoned' }, undefined],
  ])('%s: %s', (_clause, _, outcome, expected) => {
    for (const canMove of [true, false]) {
      expect(verdict(outcome, { canMove, ...settings }).failure).toBe(expected);
    }
  });
});

describe('what a refusal leads to, while there is somewhere else to go', () => {
  const ERROR_EVENT = 'upstream_error_event';

  test.each<[string, string, number, Finding, Verdict]>([
    [
      'ATT-68',
      'a model that is gone',
      500,
      { refusal: 'model' },
      { kind: 'next', failure: 'upstream_500', refusal: 'model' },
    ],
    [
      'ATT-68',
      'a model that has moved',
      404,
      { refusal: 'model' },
      { kind: 'next', failure: 'upstream_404', refusal: 'model' },
    ],
    [
      'ATT-68',
      'what it cannot',
      400,
      { refusal: 'ability' },
      { kind: 'next', failure: 'upstream_400', refusal: 'ability' },
    ],
    [
      'ATT-68',
      'a request that is too long',
      400,
      { refusal: 'context' },
      { kind: 'relay', refusal: 'context' },
    ],
    ['ATT-68', 'a full model', 429, { refusal: 'capacity' }, { kind: 'relay', refusal: 'capacity' }],
    ['ATT-68', 'an empty account', 402, { refusal: 'account' }, { kind: 'relay', refusal: 'account' }],
    ['ATT-68', 'a wrong token, which is not read', 401, {}, { kind: 'relay', refusal: 'account' }],
    ['ATT-68', 'a 500 that is not recognised', 500, {}, { kind: 'relay' }],
    ['ATT-10', 'a 503', 503, {}, { kind: 'next', failure: 'upstream_503', refusal: 'model' }],
    ['ATT-10', 'a 502', 502, {}, { kind: 'next', failure: 'upstream_502' }],
    ['ATT-52', 'an error event', 200, { failure: ERROR_EVENT }, { kind: 'next', failure: ERROR_EVENT }],
    [
      'ATT-65',
      'a broken answer',
      200,
      { failure: 'upstream_broken_body' },
      { kind: 'next', failure: 'upstream_broken_body' },
    ],
    [
      'ATT-52',
      'an error event about what it cannot',
      200,
      { failure: ERROR_EVENT, refusal: 'ability' },
      { kind: 'next', failure: ERROR_EVENT, refusal: 'ability' },
    ],
    [
      'ATT-68',
      'an error event about the context',
      200,
      { failure: ERROR_EVENT, refusal: 'context' },
      { kind: 'relay', refusal: 'context' },
    ],
  ])('%s: %s', (_clause, _, status, finding, expected) => {
    expect(verdict(opened(status, finding), { canMove: true, ...settings })).toEqual(expected);
  });

  test.each<[string, number, Finding, Verdict]>([
    ['a refusal', 400, { refusal: 'context' }, { kind: 'next', failure: 'upstream_400', refusal: 'context' }],
    [
      'an error event',
      200,
      { failure: ERROR_EVENT, refusal: 'context' },
      { kind: 'next', failure: ERROR_EVENT, refusal: 'context' },
    ],
    ['a refusal about something else', 402, { refusal: 'account' }, { kind: 'relay', refusal: 'account' }],
  ])(
    'ATT-69: a request that is too long moves on where a larger model is left: %s',
    (_, status, finding, expected) => {
      const situation = { ...settings, canMove: true, hasLarger: true };
      expect(verdict(opened(status, finding), situation)).toEqual(expected);
    },
  );

  test('ATT-68: a full model is passed over where that is asked for', () => {
    expect(
      verdict(opened(429, { refusal: 'capacity' }), {
        ...settings,
        canMove: true,
        failsOverOnCapacity: true,
      }),
    ).toEqual({ kind: 'next', failure: 'upstream_429', refusal: 'capacity' });
  });

  test.each<[string, number, Finding, Verdict]>([
    ['a refusal', 500, { refusal: 'model' }, { kind: 'relay' }],
    ['an error event', 200, { failure: ERROR_EVENT }, { kind: 'relay', failure: ERROR_EVENT }],
    [
      'an error event about the context',
      200,
      { failure: ERROR_EVENT, refusal: 'context' },
      { kind: 'relay' },
    ],
  ])('ATT-66: where it is too late, %s is relayed', (_, status, finding, expected) => {
    expect(
      verdict(opened(status, finding), { canMove: false, ...settings, failsOverOnCapacity: true }),
    ).toEqual(expected);
  });
});
