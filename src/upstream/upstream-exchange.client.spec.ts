import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { FakeConnection } from '../../test/support/fake-connection.js';
import { Connector } from '../egress/connector.factory.js';
import type { Finding } from './answer-gate.js';
import type { AttemptClock } from './attempt-clock.js';
import { ConnectionSlots } from './connection-slots.timer.js';
import { Deadlines } from '../runtime/deadlines.timer.js';
import { MemoryBudget } from '../runtime/memory-budget.js';
import type { CommitSettings } from './commit-rule.js';
import {
  type BodySink,
  type ExchangeOptions,
  type Outcome,
  UpstreamExchange,
} from './upstream-exchange.client.js';

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

const commit: CommitSettings = {
  hasNext: true,
  isStreamed: false,
  retryableStatuses: new Set([503]),
  retriesEmpty: false,
  shapesErrors: false,
};

function startOn(
  dispatcher: FakeConnection,
  slots: ConnectionSlots,
  options: ExchangeOptions = {},
): UpstreamExchange {
  return new UpstreamExchange(
    dispatcher,
    new Connector(CONNECT_MS),
    slots,
    new Deadlines(),
    { origin: 'http://upstream.test', path: '/', method: 'POST', headers: [] },
    clock,
    CONNECT_MS,
    options,
  ).start();
}

function start(options: ExchangeOptions = {}): void {
  connection = new FakeConnection();
  outcome = undefined;
  const started = startOn(connection, new ConnectionSlots(1, CONNECT_MS), options);
  exchange = started;
  void started.outcome.then((settled) => (outcome = exchange === started ? settled : outcome));
}

/** Begins an answer that another candidate could still replace. */
function answer(
  status: number,
  headers: readonly string[],
  changed: Partial<CommitSettings> = {},
  budget?: MemoryBudget,
): void {
  start({ commit: { ...commit, ...changed }, ...(budget && { budget }) });
  connection.sent();
  connection.head(status, ...headers);
}

/** The outcome of an answer with the headers that came. */
function opened(status: number, finding: Finding = {}): Outcome {
  return { kind: 'opened', status, headers: connection.rawHeaders.map(String), ...finding };
}

function handedOver(): string[] {
  const sink = new Sink();
  exchange.attach(sink);
  return sink.events;
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

describe('an answer that is read before it is chosen', () => {
  const EVENT = 'data: {"choices":[]}\n\n';
  const ERROR = 'data: {"error":{"code":500}}\n\n';
  const OTHER = Buffer.from('other');
  const GONE = '{"detail":"exhausted all available targets"}';
  const EVENTS = ['Content-Type', 'text/event-stream'];
  const JSON_TYPE = ['Content-Type', 'application/json'];

  test('ATT-55: a stream is chosen by its first whole event, and handed over as it came', async () => {
    answer(200, EVENTS);
    connection.data(EVENT.slice(0, 9));
    await turn();
    expect(outcome).toBeUndefined();
    connection.data(EVENT.slice(9));
    await turn();
    expect(outcome).toEqual(opened(200));
    connection.end();
    expect(handedOver()).toEqual([EVENT.slice(0, 9), EVENT.slice(9), 'END']);
  });

  test('ATT-55: or 250 ms after its first byte', async () => {
    answer(200, EVENTS);
    connection.data(EVENT.slice(0, 9));
    await turn();
    await jest.advanceTimersByTimeAsync(240);
    expect(outcome).toBeUndefined();
    await jest.advanceTimersByTimeAsync(20);
    await turn();
    expect(outcome).toEqual(opened(200));
  });

  test('ATT-52, ATT-66: an error in its place is told, and can be relayed all the same', async () => {
    answer(200, EVENTS);
    connection.data(ERROR);
    connection.end();
    await turn();
    expect(outcome).toEqual(opened(200, { failure: 'upstream_error_event' }));
    expect(connection.isAborted).toBe(false);
    expect(handedOver()).toEqual([ERROR, 'END']);
  });

  test('ATT-64: JSON is chosen when it is whole', async () => {
    answer(200, JSON_TYPE);
    connection.data('{');
    await turn();
    await jest.advanceTimersByTimeAsync(1_000);
    connection.data('}');
    await turn();
    expect(outcome).toBeUndefined();
    connection.end();
    await turn();
    expect(outcome).toEqual(opened(200));
    expect(handedOver()).toEqual(['{', '}', 'END']);
  });

  test('ATT-64: or by 1 MiB, until which it is read on', async () => {
    answer(200, JSON_TYPE);
    for (let n = 1; n < 16; n += 1) connection.data(Buffer.alloc(65_536));
    await turn();
    expect([outcome, connection.paused]).toEqual([undefined, false]);
    connection.data(Buffer.alloc(65_536));
    await turn();
    expect(outcome).toEqual(opened(200));
    expect(connection.paused).toBe(true);
  });

  test('ATT-71: of which there is no room for more is chosen as far as it has come', async () => {
    const budget = new MemoryBudget(100);
    answer(200, JSON_TYPE, {}, budget);
    connection.data('x'.repeat(60));
    await turn();
    connection.data('x'.repeat(40));
    await turn();
    expect([outcome, budget.makeRoom(0), budget.hasRoom(1)]).toEqual([undefined, true, false]);
    connection.data('x');
    await turn();
    expect([outcome, budget.hasRoom(100)]).toEqual([opened(200), true]);
    connection.end();
    expect(handedOver().join('')).toBe(`${'x'.repeat(101)}END`);
  });

  test('ATT-71: or at the end of its turn where there is none', async () => {
    answer(200, JSON_TYPE, {}, new MemoryBudget(10));
    connection.data('x'.repeat(11));
    await turn();
    await turn();
    expect(outcome).toEqual(opened(200));
  });

  test('ATT-71, CFG-65: gives way to whoever needs the room', async () => {
    const budget = new MemoryBudget(100);
    answer(200, JSON_TYPE, {}, budget);
    connection.data('x'.repeat(60));
    await turn();
    expect([outcome, budget.makeRoom(50)]).toEqual([undefined, true]);
    await turn();
    expect(outcome).toEqual(opened(200));
    expect(handedOver()).toEqual(['x'.repeat(60)]);
  });

  test.each<[string, () => unknown]>([
    ['it is whole', () => connection.end()],
    ['it breaks', () => connection.abort(new Error('x'))],
    ['nobody wants it any more', () => exchange.abandon()],
    ['its time is over', async () => jest.advanceTimersByTimeAsync(2_100)],
  ])('ATT-71: gives its room back when %s', async (_, over) => {
    const budget = new MemoryBudget(100);
    answer(200, JSON_TYPE, {}, budget);
    connection.data('x'.repeat(60));
    await turn();
    expect(budget.hasRoom(41)).toBe(false);
    await over();
    await turn();
    expect(budget.hasRoom(100)).toBe(true);
  });

  test('ATT-64: or 2 s after its first byte', async () => {
    answer(200, JSON_TYPE);
    connection.data('{');
    await turn();
    await jest.advanceTimersByTimeAsync(1_980);
    expect(outcome).toBeUndefined();
    await jest.advanceTimersByTimeAsync(40);
    await turn();
    expect(outcome).toEqual(opened(200));
  });

  test.each([
    ['JSON', JSON_TYPE],
    ['a stream', EVENTS],
  ])(
    'ATT-65, ATT-66: %s that breaks before is told, and ends as it did where it is relayed all the same',
    async (_, headers) => {
      answer(200, headers);
      connection.data('{');
      connection.abort(new Error('x'));
      await turn();
      expect(outcome).toEqual(opened(200, { failure: 'upstream_broken_body' }));
      expect(handedOver()).toEqual(['{', 'BREAK']);
    },
  );

  test('ATT-63: an answer that holds nothing is told', async () => {
    answer(200, JSON_TYPE, { retriesEmpty: true });
    connection.data('{"choices":[]}');
    connection.end();
    await turn();
    expect(outcome).toEqual(opened(200, { failure: 'upstream_empty_answer' }));
  });

  test('ATT-67: a refusal is read to its end', async () => {
    answer(500, JSON_TYPE);
    connection.data(GONE.slice(0, 9));
    await turn();
    expect(outcome).toBeUndefined();
    connection.data(GONE.slice(9));
    connection.end();
    await turn();
    expect(outcome).toEqual(opened(500, { refusal: 'model' }));
    expect(handedOver()).toEqual([GONE.slice(0, 9), GONE.slice(9), 'END']);
  });

  test.each<[string, () => void, string[]]>([
    ['breaks', () => connection.abort(new Error('x')), [GONE, 'BREAK']],
    ['is longer than 16 KiB', () => connection.data(' '.repeat(16_384)), [GONE, ' '.repeat(16_384)]],
    ['takes a second', () => jest.advanceTimersByTime(1_010), [GONE]],
  ])('ATT-50, ATT-67: one that %s is relayed as it came', async (_, goesOn, events) => {
    answer(500, JSON_TYPE);
    connection.data(GONE);
    await turn();
    goesOn();
    await turn();
    expect(outcome).toEqual(opened(500));
    expect(handedOver()).toEqual(events);
  });

  test('ATT-67: one that never begins is chosen after a second', async () => {
    answer(500, JSON_TYPE);
    await turn();
    await jest.advanceTimersByTimeAsync(1_010);
    await turn();
    expect(outcome).toEqual(opened(500));
  });

  test('ATT-67: one without a body is chosen at once', async () => {
    answer(500, JSON_TYPE);
    connection.end();
    await turn();
    expect(outcome).toEqual(opened(500));
    expect(handedOver()).toEqual(['END']);
  });

  test('ATT-4, ATT-5: nothing is read without another candidate', async () => {
    answer(200, JSON_TYPE, { hasNext: false });
    connection.data('{');
    await turn();
    expect(outcome).toEqual(opened(200));
    answer(500, JSON_TYPE, { hasNext: false });
    await turn();
    expect(outcome).toEqual(opened(500));
  });

  test('ATT-28: a client that leaves meanwhile ends it', async () => {
    answer(200, JSON_TYPE);
    connection.data('{');
    await turn();
    exchange.abandon();
    await turn();
    expect(outcome).toEqual({ kind: 'abandoned' });
    expect(connection.isAborted).toBe(true);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('ATT-27: many small pieces are held as few', async () => {
    answer(200, JSON_TYPE);
    for (let n = 0; n < 10_000; n += 1) connection.data(String(n % 10));
    connection.end();
    await turn();
    const events = handedOver();
    expect(events.length).toBeLessThan(400);
    expect(events.join('')).toBe(`${'0123456789'.repeat(1_000)}END`);
  });

  test('ERR-31: a refusal that was read in full can be replaced, any other body cannot', async () => {
    answer(401, JSON_TYPE, { hasNext: false, shapesErrors: true });
    connection.data(GONE);
    expect(exchange.replaceRefusal(() => OTHER)).toBeUndefined();
    connection.end();
    await turn();
    expect(exchange.replaceRefusal(() => undefined)).toBeUndefined();
    expect(exchange.replaceRefusal(() => OTHER)).toBe(5);
    expect(handedOver()).toEqual(['other', 'END']);
    answer(401, JSON_TYPE, { hasNext: false });
    connection.data(GONE);
    connection.end();
    await turn();
    expect(exchange.replaceRefusal(() => OTHER)).toBeUndefined();
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
