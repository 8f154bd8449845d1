import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { FakeConnection } from '../../test/support/fake-connection.js';
import { Connector } from '../egress/connector.factory.js';
import type { AttemptClock } from './attempt-clock.js';
import { ConnectionSlots } from './connection-slots.timer.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { type Outcome, UpstreamExchange } from './upstream-exchange.client.js';

const CONNECT_MS = 200;
const clock: AttemptClock = {
  settings: { headerTimeoutMs: 3_000, firstByteTimeoutMs: 1_000, patientTimeoutMs: 60_000 },
  hasAlternative: true,
  failoverUntilMs: Infinity,
};
const patient = { ...clock, hasAlternative: false };

let connection: FakeConnection;
let outcome: Outcome | undefined;

function start(attemptClock: AttemptClock): void {
  connection = new FakeConnection();
  outcome = undefined;
  const exchange = new UpstreamExchange(
    connection,
    new Connector(CONNECT_MS),
    new ConnectionSlots(1, CONNECT_MS),
    new Deadlines(),
    { origin: 'http://upstream.test', path: '/', method: 'POST', headers: [] },
    attemptClock,
    CONNECT_MS,
    {},
  ).start();
  void exchange.outcome.then((settled) => (outcome = settled));
}

/** The outcome one millisecond before a time and at it. */
async function around(ms: number): Promise<(Outcome | undefined)[]> {
  await jest.advanceTimersByTimeAsync(ms - 1);
  const before = outcome;
  await jest.advanceTimersByTimeAsync(1);
  return [before, outcome];
}

function failedWith(reason: string): unknown[] {
  return [undefined, { kind: 'failed', reason }];
}

beforeEach(() => {
  // Before a timer fires there is a turn for what the connection has brought.
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('the timers, armed for exactly their settings', () => {
  test('ATT-17, ATT-23: connecting', async () => {
    start(clock);
    expect(await around(CONNECT_MS)).toEqual(failedWith('upstream_connect_error'));
  });

  test('ATT-18, ATT-23: the headers of an impatient attempt, from the sending on', async () => {
    start(clock);
    await jest.advanceTimersByTimeAsync(150);
    connection.sent();
    expect(await around(3_000)).toEqual(failedWith('upstream_header_timeout'));
    expect(connection.isAborted).toBe(true);
  });

  test('ATT-23: interim responses move no timer', async () => {
    start(clock);
    connection.sent();
    for (let n = 0; n < 29; n++) {
      await jest.advanceTimersByTimeAsync(100);
      connection.head(103);
    }
    expect(await around(100)).toEqual(failedWith('upstream_header_timeout'));
  });

  test('ATT-19: the first byte of an impatient attempt, from the headers on', async () => {
    start(clock);
    connection.sent();
    await jest.advanceTimersByTimeAsync(2_500);
    connection.head(200);
    expect(await around(1_000)).toEqual(failedWith('upstream_first_body_byte_timeout'));
  });

  test('ATT-21, ATT-22: a patient attempt without headers', async () => {
    start(patient);
    connection.sent();
    expect(await around(60_000)).toEqual(failedWith('upstream_header_timeout'));
  });

  test('ATT-21, ATT-22: a patient attempt has one time for headers and first byte together', async () => {
    start(patient);
    connection.sent();
    await jest.advanceTimersByTimeAsync(50_000);
    connection.head(200);
    expect(await around(10_000)).toEqual(failedWith('upstream_first_body_byte_timeout'));
  });

  test('ATT-20: patience is decided anew for the first byte', async () => {
    start({ ...clock, failoverUntilMs: performance.now() + 3_500 });
    connection.sent();
    await jest.advanceTimersByTimeAsync(2_900);
    connection.head(200);
    expect(await around(57_100)).toEqual(failedWith('upstream_first_body_byte_timeout'));
  });

  test('ATT-4, ATT-5: stop when the answer is chosen', async () => {
    start(clock);
    connection.sent();
    connection.head(200, 'a', 'b');
    connection.data('x');
    await jest.advanceTimersByTimeAsync(1_000_000);
    expect(outcome).toEqual({ kind: 'opened', status: 200, headers: ['a', 'b'] });
    expect(connection.isAborted).toBe(false);
  });
});
