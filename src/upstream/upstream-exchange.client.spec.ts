import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { FakeConnection } from '../../test/support/fake-connection.js';
import { Connector } from '../egress/connector.factory.js';
import type { AttemptClock } from './attempt-clock.js';
import { ConnectionSlots } from './connection-slots.timer.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { type BodySink, type Outcome, UpstreamExchange } from './upstream-exchange.client.js';

const CONNECT_MS = 200;
const clock: AttemptClock = {
  settings: { headerTimeoutMs: 3_000, firstByteTimeoutMs: 1_000, patientTimeoutMs: 60_000 },
  hasAlternative: true,
  failoverUntilMs: Infinity,
};

class Sink implements BodySink {
  readonly events: string[] = [];
  constructor(private readonly onFirst?: () => void) {}
  onData(chunk: Buffer): void {
    this.events.push(chunk.toString());
    if (this.events.length === 1) this.onFirst?.();
  }
  onEnd(): void {
    this.events.push('END');
  }
  onBreak(): void {
    this.events.push('BREAK');
  }
}

let connection: FakeConnection;
let exchange: UpstreamExchange;
let outcome: Outcome | undefined;

function startOn(dispatcher: FakeConnection, slots: ConnectionSlots): UpstreamExchange {
  return new UpstreamExchange(
    dispatcher,
    new Connector(CONNECT_MS),
    slots,
    new Deadlines(),
    { origin: 'http://upstream.test', path: '/', method: 'POST', headers: [] },
    clock,
    CONNECT_MS,
    {},
  ).start();
}

function start(): void {
  connection = new FakeConnection();
  outcome = undefined;
  const started = startOn(connection, new ConnectionSlots(1, CONNECT_MS));
  exchange = started;
  void started.outcome.then((settled) => (outcome = exchange === started ? settled : outcome));
}

/** Until what has come is handed over, at the end of its turn of the event loop. */
async function turn(): Promise<void> {
  await jest.advanceTimersByTimeAsync(1);
  await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('an answer', () => {
  beforeEach(() => {
    start();
    connection.sent();
  });

  test('ATT-4: with a 2xx is chosen by its first byte, not by its headers', async () => {
    connection.head(200);
    await turn();
    expect(outcome).toBeUndefined();
    connection.data('x');
    await turn();
    expect(outcome).toMatchObject({ kind: 'opened', status: 200 });
  });

  test.each([302, 400, 429, 503, 599])('ATT-5: with %i is chosen by its headers', async (status) => {
    connection.head(status);
    await turn();
    expect(outcome).toMatchObject({ kind: 'opened', status });
  });

  test('ATT-9: with a status above 599 is none', async () => {
    connection.head(600);
    await turn();
    expect(outcome).toEqual({ kind: 'failed', reason: 'upstream_invalid_response' });
    expect(connection.isAborted).toBe(true);
  });

  test('ATT-11: with a 2xx and no byte is none', async () => {
    connection.head(200);
    connection.end();
    await turn();
    expect(outcome).toEqual({ kind: 'failed', reason: 'upstream_empty_body' });
  });

  test('ATT-26: reaches the sink in order, what came before it was there and what comes after', () => {
    connection.head(200);
    connection.data('a');
    connection.data('b');
    const sink = new Sink();
    exchange.attach(sink);
    connection.data('c');
    connection.end();
    expect(sink.events).toEqual(['a', 'b', 'c', 'END']);
  });

  test('ATT-34: that broke before the sink was there is handed over as broken', () => {
    connection.head(200);
    connection.data('a');
    connection.abort(new Error('x'));
    const sink = new Sink();
    exchange.attach(sink);
    expect(sink.events).toEqual(['a', 'BREAK']);
  });

  test('ATT-27: is no longer read when much of it waits for the sink, and read on with it', () => {
    connection.head(200);
    connection.data(Buffer.alloc(65_536));
    expect(connection.paused).toBe(false);
    connection.data('x');
    expect(connection.paused).toBe(true);
    exchange.attach(new Sink());
    expect(connection.paused).toBe(false);
  });

  test('ATT-27: is not read on when the sink has enough from what waited', () => {
    connection.head(200);
    connection.data(Buffer.alloc(65_536));
    connection.data('x');
    exchange.attach(new Sink(() => exchange.pause()));
    expect(connection.paused).toBe(true);
    exchange.resume();
    expect(connection.paused).toBe(false);
  });
});

test('ATT-9, ATT-25: who waits for the connection gets it only when undici is done with the answer', async () => {
  const slots = new ConnectionSlots(1, CONNECT_MS);
  const first = new FakeConnection();
  startOn(first, slots);
  const granted = jest.fn();
  slots.take({ granted, timedOut: () => {} });
  first.sent();
  first.head(200);
  first.data('x');
  first.end();
  expect(granted).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(0);
  expect(granted).toHaveBeenCalledTimes(1);
});

describe('an abandoned exchange', () => {
  test('ATT-28: ends its request, whatever it waits for', async () => {
    start();
    connection.sent();
    exchange.abandon();
    await jest.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ kind: 'abandoned' });
    expect(connection.isAborted).toBe(true);
    await jest.advanceTimersByTimeAsync(1_000_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('ATT-28: has no answer, though its first byte came in the same turn', async () => {
    start();
    connection.sent();
    connection.head(200);
    connection.data('x');
    exchange.abandon();
    await turn();
    expect(outcome).toEqual({ kind: 'abandoned' });
    expect(connection.isAborted).toBe(true);
  });

  test('ATT-28: does not send its request when it gets a connection after all', () => {
    start();
    exchange.abandon();
    connection.sent();
    expect(connection.isAborted).toBe(true);
  });

  test('ATT-25, ATT-28: gives back its connection once', async () => {
    const slots = new ConnectionSlots(1, CONNECT_MS);
    const granted: string[] = [];
    const waiterNamed = (name: string) => ({ granted: () => granted.push(name), timedOut: () => {} });
    const open = new FakeConnection();
    const running = startOn(open, slots);
    open.sent();
    slots.take(waiterNamed('first'));
    slots.take(waiterNamed('second'));
    running.abandon();
    running.abandon();
    await jest.advanceTimersByTimeAsync(CONNECT_MS);
    expect(granted).toEqual(['first']);
  });

  test('ATT-25: waiting in line takes no connection later', async () => {
    const slots = new ConnectionSlots(1, CONNECT_MS);
    slots.take({ granted: () => {}, timedOut: () => {} });
    const late = new FakeConnection();
    const dispatch = jest.spyOn(late, 'dispatch');
    const waiting = startOn(late, slots);
    waiting.abandon();
    slots.release();
    await expect(waiting.outcome).resolves.toEqual({ kind: 'abandoned' });
    expect(dispatch).not.toHaveBeenCalled();
  });
});
