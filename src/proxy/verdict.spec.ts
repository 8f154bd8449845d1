import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../upstream/upstream-exchange.client.js';
import { type Verdict, verdict } from './verdict.js';

const retryableStatuses = new Set([502, 503]);
const opened = (status: number): Outcome => ({ kind: 'opened', status, headers: [] });
const failed: Outcome = { kind: 'failed', reason: 'upstream_reset' };

describe('what follows from an attempt', () => {
  const situation = { canMove: true, retryableStatuses };

  test.each([
    ['a retryable status', opened(503)],
    ['a failure', failed],
  ])(
    'ATT-7, ATT-8, ATT-9, ATT-10, ATT-11, ATT-12: after %s another candidate gets its turn',
    (_, outcome) => {
      expect(verdict(outcome, situation).kind).toBe('next');
    },
  );

  test.each([200, 302, 401, 429, 504])('ATT-6, ATT-13, ATT-14, ATT-30: a %i is relayed', (status) => {
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
  ])(
    'ATT-1, ATT-2, ATT-15: %s, when no other candidate is left, or it is too late to try it',
    (_, outcome, expected) => {
      expect(verdict(outcome, { canMove: false, retryableStatuses }).kind).toBe(expected);
    },
  );
});

describe('why an attempt failed', () => {
  test.each<[string, Outcome, string | undefined]>([
    ['a failure has its reason', failed, 'upstream_reset'],
    ['a retryable status is one', opened(503), 'upstream_503'],
    ['another status is none', opened(429), undefined],
    ['a 200 is none', opened(200), undefined],
    ['waiting for a connection is none', { kind: 'overloaded' }, undefined],
    ['a client that left is none', { kind: 'abandoned' }, undefined],
  ])('ATT-25, ATT-29, OBS-5, OBS-6: %s', (_, outcome, expected) => {
    for (const canMove of [true, false]) {
      expect(verdict(outcome, { canMove, retryableStatuses }).failure).toBe(expected);
    }
  });
});
