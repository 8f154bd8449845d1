import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { complete } from '../../../test/support/ask.js';
import { ChutesSimulator } from '../chutes-simulator.js';
import { type ErrorForm, errorInStream } from './error-events.js';
import type { Behaviour, NamedKind } from './misbehaviour.js';

let simulator: ChutesSimulator;

beforeAll(async () => {
  simulator = await ChutesSimulator.start();
});

beforeEach(() => simulator.reset());
afterAll(async () => simulator.close());

/** What the lines of `data` of each event are together. */
function eventsOf(text: string): string[] {
  return text
    .split('\n\n')
    .map((event) => [...event.matchAll(/^data: ?(.*)$/gm)].map(([, line = '']) => line).join('\n'))
    .filter((data) => data !== '');
}

describe('an error within a stream', () => {
  test.each<[ErrorForm, RegExp]>([
    ['framed', /^data: \{"error":\{.*\}\}\n\n$/],
    ['pretty', /^data: \{\ndata: {3}"error": \{\n(?:data: .*\n)+data: \}\n\n$/],
    ['unframed', /^\{"error":"Unhandled exception during response stream: .*"\}$/],
    ['unframed-pretty', /^\{\n {2}"error": "Unhandled exception during response stream: .*"\n\}\n$/],
    ['anthropic', /^event: error\ndata: \{"type":"error","error":\{.*\}\}\n\n$/],
  ])('SIM-37: as %s', (form, expected) => {
    expect(errorInStream(form)).toMatch(expected);
  });

  test.each([
    ['response', { type: 'error', sequence_number: 4, code: 'server_error', message: 'Oh.', param: null }],
    ['message', { type: 'error', error: { type: 'overloaded_error', message: 'Oh.' } }],
  ] as const)('SIM-43: is one of its API: %s', (kind, expected) => {
    for (const form of ['framed', 'pretty'] as const) {
      const text = errorInStream(form, { message: 'Oh.' }, kind, 4);
      expect(text).toMatch(/^event: error\ndata: /);
      expect(JSON.parse(eventsOf(text).join(''))).toEqual(expected);
    }
  });

  test.each(['framed', 'pretty'] as const)('SIM-37: with a code and words of its own: %s', (form) => {
    const [data = ''] = eventsOf(errorInStream(form, { message: 'Too long.', code: 400 }));
    expect(JSON.parse(data)).toEqual({
      error: { message: 'Too long.', type: 'BadRequestError', param: null, code: 400 },
    });
  });

  const FRAMED = /\n\ndata: \{"error":\{[^\n]*\}\}\n\n/;
  test.each<[NamedKind, number, RegExp]>([
    ['error-event', 3, new RegExp(`${FRAMED.source}$`)],
    ['error-event-pretty', 3, /\n\ndata: \{\n(?:data: .*\n)+data: \}\n\n$/],
    ['error-event-then-done', 3, new RegExp(`${FRAMED.source}data: \\[DONE\\]\n\n$`)],
    ['error-event-then-comment', 3, new RegExp(`${FRAMED.source}: the end\n\n$`)],
    ['unframed-error-pretty', 3, /\n\n\{\n {2}"error": "Unhandled .*"\n\}\n$/],
    ['first-event-error', 0, /^data: \{"error":\{[^\n]*\}\}\n\n$/],
    ['first-event-unframed-error', 0, /^\{"error":"Unhandled .*"\}$/],
    ['first-event-anthropic-error', 0, /^event: error\ndata: .*\n\n$/],
    ['first-event-refusal', 0, /^data: \{"error":\{.*"code":400\}\}\n\ndata: \[DONE\]\n\n$/],
  ])('SIM-37: %s comes after %i events', async (kind, before, ending) => {
    const { status, text } = await complete(simulator, { model: `sim/${kind}`, stream: true });
    expect([status, text]).toEqual([200, expect.stringMatching(ending)]);
    expect(eventsOf(text).filter((data) => data.includes('"choices"'))).toHaveLength(before);
  });

  test.each<[Behaviour, number, string]>([
    [{ kind: 'error-event' }, 500, 'Internal server error.'],
    [{ kind: 'error-event', code: 400, message: 'Too long.' }, 400, 'Too long.'],
  ])('SIM-37: not streamed, %j is an error of its own', async (behaviour, status, words) => {
    simulator.behave('x', behaviour);
    const answer = await complete(simulator, { model: 'x', stream: false });
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.text) as { detail: string }).detail).toContain(words);
  });
});

describe('endings that look well', () => {
  test('SIM-38: unfinished ends in the middle, with neither a finish reason nor [DONE]', async () => {
    const { status, text } = await complete(simulator, { model: 'sim/unfinished', stream: true });
    expect([status, eventsOf(text).length]).toEqual([200, 3]);
    expect(text).not.toMatch(/\[DONE\]|"finish_reason":"/);
  });

  test('SIM-38: not streamed, unfinished is half of the JSON', async () => {
    const { status, text } = await complete(simulator, { model: 'sim/unfinished', stream: false });
    expect([status, text]).toEqual([200, expect.stringMatching(/^\{"id":/)]);
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  test('SIM-38: an empty answer says nothing, streamed', async () => {
    const events = eventsOf((await complete(simulator, { model: 'sim/empty-answer', stream: true })).text);
    expect(events.at(-1)).toBe('[DONE]');
    const chunks = events.slice(0, -1).map((data) => JSON.parse(data) as OneChunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 0 } });
  });

  test('SIM-38: an empty answer says nothing, not streamed', async () => {
    expect(
      JSON.parse((await complete(simulator, { model: 'sim/empty-answer', stream: false })).text),
    ).toMatchObject({
      choices: [{ message: { content: '' }, finish_reason: 'stop' }],
      usage: { completion_tokens: 0 },
    });
  });
});

interface OneChunk {
  readonly choices: readonly { delta: { content?: string }; finish_reason: string | null }[];
}

describe('a long silence', () => {
  test.each([true, false])(
    'SIM-39: slow-first-token sends headers at once and all else later, streamed: %s',
    async (stream) => {
      simulator.behave('x', { kind: 'slow-first-token', ms: 1_000 });
      const startedAtMs = performance.now();
      const response = await fetch(`${simulator.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'x', stream }),
      });
      const headersMs = performance.now() - startedAtMs;
      const text = await response.text();
      const wholeMs = performance.now() - startedAtMs;
      expect(wholeMs).toBeGreaterThan(998);
      expect(wholeMs - headersMs).toBeGreaterThan(100);
      expect(text).toContain('"finish_reason":"stop"');
    },
  );
});
