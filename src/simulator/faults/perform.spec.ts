import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../chutes-simulator.js';
import type { Behaviour, NamedKind } from './misbehaviour.js';

const QUIET_MS = 150;
let simulator: ChutesSimulator;

beforeAll(async () => {
  simulator = await ChutesSimulator.start();
});

beforeEach(() => simulator.reset());
afterAll(async () => simulator.close());

/** What came over one connection, and whether it was then closed, reset, or left open. */
interface Outcome {
  bytes: string;
  ending: 'fin' | 'rst' | 'open';
}

/** Asks on a connection of its own and takes every byte, until the end or until nothing comes any more. */
async function ask(model: string, stream: boolean): Promise<Outcome> {
  const body = JSON.stringify({ model, stream });
  const { hostname, port } = new URL(simulator.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let bytes = '';
  const ending = await new Promise<Outcome['ending']>((resolve) => {
    socket.on('timeout', () => {
      const before = bytes;
      // Where this process stood still, what has come meanwhile is read in the turns that follow.
      void turns().then(() => bytes === before && resolve('open'));
    });
    socket.setTimeout(QUIET_MS);
    socket.on('data', (piece: Buffer) => {
      bytes += piece.toString();
    });
    socket.on('end', () => resolve('fin'));
    socket.on('error', () => resolve('rst'));
  });
  socket.destroy();
  return { bytes, ending };
}

/** As many turns of the event loop as a request and its answer take, and some more. */
async function turns(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await new Promise(setImmediate);
}

function eventsIn(bytes: string): number {
  return bytes.split('data: {').length - 1;
}

const replies: [NamedKind, number, string][] = [
  ['unavailable', 503, '{"detail":'],
  ['rate-limited', 429, '<html>'],
  ['at-capacity', 429, '{"detail":"Infrastructure is at maximum capacity, try again later"}'],
  ['unauthorized', 401, '{"detail":"Invalid token."}'],
  ['payment-required', 402, '{"detail":'],
  ['internal-error', 500, '{"detail":'],
  ['bad-gateway', 502, '<html>'],
  ['gateway-timeout', 504, '<html>'],
];

describe.each([true, false])('misbehaviour, streamed: %s', (stream) => {
  test.each(replies)('SIM-17: %s answers %i', async (kind, status, start) => {
    const { bytes, ending } = await ask(`sim/${kind}`, stream);
    expect(bytes).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(bytes.split('\r\n\r\n')[1]).toContain(start);
    expect(ending).toBe('fin');
  });

  test('SIM-17: silent never sends a byte', async () => {
    expect(await ask('sim/silent', stream)).toEqual({ bytes: '', ending: 'open' });
  });

  test('SIM-17: slow headers come late, and then everything', async () => {
    simulator.behave('sim/slow-headers', { kind: 'slow-headers', ms: 50 });
    const startedAtMs = performance.now();
    const { bytes } = await ask('sim/slow-headers', stream);
    expect(performance.now() - startedAtMs).toBeGreaterThan(48);
    expect(bytes).toContain('"finish_reason":"stop"');
  });

  test('SIM-17: slow headers are slow by themselves', async () => {
    expect(await ask('sim/slow-headers', stream)).toEqual({ bytes: '', ending: 'open' });
  });

  test('SIM-17: headers, then silence', async () => {
    const { bytes, ending } = await ask('sim/headers-then-silence', stream);
    expect(bytes).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
    expect(bytes).toContain(stream ? 'text/event-stream' : 'application/json');
    expect(ending).toBe('open');
  });

  test('SIM-17: reset before any byte', async () => {
    expect(await ask('sim/reset', stream)).toEqual({ bytes: '', ending: 'rst' });
  });

  test('SIM-17: close before any byte', async () => {
    expect(await ask('sim/close', stream)).toEqual({ bytes: '', ending: 'fin' });
  });

  test('SIM-17: an empty body', async () => {
    const { bytes, ending } = await ask('sim/empty-body', stream);
    expect(bytes).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n0\r\n\r\n$/);
    expect(ending).toBe('fin');
  });

  test('SIM-17: a reset after headers', async () => {
    const { bytes, ending } = await ask('sim/reset-after-headers', stream);
    expect(bytes).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
    expect(ending).toBe('rst');
  });

  test.each<[Behaviour, Outcome['ending']]>([
    [{ kind: 'cut-stream' }, 'fin'],
    [{ kind: 'cut-stream', reset: true }, 'rst'],
    [{ kind: 'stall' }, 'open'],
  ])('SIM-17: %j leaves an answer in the middle', async (behaviour, expected) => {
    simulator.behave('x', behaviour);
    const { bytes, ending } = await ask('x', stream);
    expect(bytes).toMatch(/^HTTP\/1.1 200 OK/);
    expect(eventsIn(bytes)).toBe(stream ? 3 : 0);
    expect(bytes).not.toContain('\r\n0\r\n');
    expect(bytes).not.toContain('"stop"');
    expect(ending).toBe(expected);
  });

  test('SIM-17: promises more than it sends', async () => {
    const { bytes, ending } = await ask('sim/truncated', stream);
    const length = Number(/content-length: (\d+)/.exec(bytes)?.[1]);
    expect(bytes.split('\r\n\r\n')[1]?.length).toBe(Math.floor(length / 2));
    expect(ending).toBe('fin');
  });
});

test('SIM-30: the echo of a request is its body, byte for byte', async () => {
  const body = '{ "model": "sim\\/echo", "n":1.0,\r\n "n": 12345678901234567890 }';
  const answer = await fetch(`${simulator.url}/v1/chat/completions`, { method: 'POST', body });
  expect([answer.status, await answer.text()]).toEqual([200, body]);
});

describe('misbehaviour of streams', () => {
  test('SIM-17: as many events as asked for come before the break', async () => {
    simulator.behave('x', { kind: 'cut-stream', afterChunks: 7 });
    expect(eventsIn((await ask('x', true)).bytes)).toBe(7);
    simulator.behave('x', { kind: 'cut-stream', afterChunks: 0 });
    expect((await ask('x', true)).bytes).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
  });

  test("SIM-17: Chutes' error line, which is no event, and a clean end", async () => {
    const { bytes, ending } = await ask('sim/unframed-error', true);
    expect(bytes).toMatch(/\n\{"error":"Unhandled exception during response stream: [^\n]*"\}\r\n0\r\n\r\n$/);
    expect(eventsIn(bytes)).toBe(3);
    expect(ending).toBe('fin');
  });

  test('SIM-17: not streamed, a broken generation is a 500', async () => {
    expect((await ask('sim/unframed-error', false)).bytes).toMatch(/^HTTP\/1.1 500 /);
  });

  test('SIM-17: a clean end without [DONE]', async () => {
    const { bytes } = await ask('sim/no-done', true);
    expect(bytes).toContain('"finish_reason":"stop"');
    expect(bytes).not.toContain('[DONE]');
    expect(bytes).toMatch(/\r\n0\r\n\r\n$/);
  });

  test('SIM-17: not streamed, an answer without [DONE] is a good one', async () => {
    expect((await ask('sim/no-done', false)).bytes).toMatch(/^HTTP\/1.1 200 OK[^]*"finish_reason":"stop"/);
  });

  test('SIM-17: any status, headers and body', async () => {
    const headers = { 'x-mark': ['a', 'b'], location: '/elsewhere' };
    simulator.behave('x', { kind: 'status', status: 302, headers, body: 'moved' });
    const { bytes } = await ask('x', false);
    expect(bytes).toMatch(
      /^HTTP\/1.1 302 Found\r\nx-mark: a\r\nx-mark: b\r\nlocation: \/elsewhere\r\n[^]*moved/,
    );
  });
});
