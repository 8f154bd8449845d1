import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { complete } from '../../../test/support/ask.js';
import { ChutesSimulator } from '../chutes-simulator.js';
import { REPLY_KINDS, type ReplyKind } from './replies.js';

let simulator: ChutesSimulator;

beforeAll(async () => {
  simulator = await ChutesSimulator.start();
});

afterAll(async () => simulator.close());

const STATUSES: Readonly<Record<ReplyKind, readonly [number, unknown]>> = {
  unavailable: [503, 'Service unavailable, try again later.'],
  disabled: [503, 'This chute is currently disabled.'],
  'rate-limited': [429, '<html>'],
  'at-capacity': [429, 'Infrastructure is at maximum capacity, try again later'],
  'no-targets': [429, 'no_targets'],
  'free-limit': [429, expect.stringMatching(/^Free models limit reached for today/)],
  unauthorized: [401, 'Invalid token.'],
  'payment-required': [402, expect.stringMatching(/^Quota exceeded and account balance is \$/)],
  'quota-exceeded': [
    402,
    {
      message: expect.stringMatching(/^Quota exceeded and account balance is \$/),
      quota_reset_timestamp: expect.any(String),
    },
  ],
  'usage-cap': [402, 'Subscription usage cap exceeded.'],
  'no-subscription': [402, 'TEE models require an active subscription'],
  'creator-unpaid': [402, expect.stringMatching(/^Chute unavailable because the creator/)],
  'model-not-found': [404, 'model not found: sim/model-not-found'],
  'no-chute': [404, 'No matching chute found!'],
  'not-tee': [426, 'This chute does not have TEE enabled.'],
  'internal-error': [500, 'Internal server error.'],
  exhausted: [500, 'exhausted all available targets to no avail'],
  'no-infrastructure': [500, 'No infrastructure available to serve request'],
  'bad-gateway': [502, '<html>'],
  'gateway-timeout': [504, '<html>'],
};

describe('complete replies of Chutes', () => {
  test.each(REPLY_KINDS.flatMap((kind) => [true, false].map((stream) => [kind, stream] as const)))(
    'SIM-36: %s, streamed: %s',
    async (kind, stream) => {
      const [expected, detail] = STATUSES[kind];
      const { status, headers, text } = await complete(simulator, { model: `sim/${kind}`, stream });
      expect(status).toBe(expected);
      const isPage = detail === '<html>';
      expect(headers.get('content-type')).toBe(isPage ? 'text/html' : 'application/json');
      const said: unknown = isPage ? '<html>' : (JSON.parse(text) as { detail: unknown }).detail;
      expect(said).toEqual(detail);
      expect(text).toMatch(/^(?:<html>|\{"detail":)/);
    },
  );

  test('SIM-36: have none of the headers that only successes carry', async () => {
    const { headers } = await complete(simulator, { model: 'sim/exhausted', stream: false });
    const chutes = [...headers.keys()].filter((name) => name.startsWith('x-chutes-'));
    expect([chutes, headers.has('retry-after')]).toEqual([[], false]);
  });

  test('SIM-36: a model that is told to be gone is named as it was asked for', async () => {
    simulator.behave('Qwen/Qwen3-32B', 'model-not-found');
    const { text } = await complete(simulator, { model: 'Qwen/Qwen3-32B', stream: false });
    expect(text).toBe('{"detail":"model not found: Qwen/Qwen3-32B"}');
  });
});
