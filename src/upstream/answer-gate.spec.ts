import { describe, expect, test } from '@jest/globals';
import { type AnswerGate, type Finding, gateFor } from './answer-gate.js';
import { HOLDS, type HoldingRule } from './commit-rule.js';

const EVENT = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
const ERROR = 'data: {"error":{"message":"It broke.","code":500}}\n\n';
const TOO_LONG = { message: "This model's maximum context length is 40960 tokens.", code: 400 };
const REFUSED = 'data: {"error":{"message":"Bad content","code":400}}\n\n';
const ANSWER = '{"choices":[{"message":{"content":"Hi"}}]}';
const EMPTY = '{"choices":[{"message":{"content":""}}]}';
const GONE = '{"detail":"exhausted all available targets to no avail"}';

interface Course {
  readonly gate: AnswerGate;
  readonly held: Buffer[];
  readonly finding: Finding | undefined;
}

function after(
  rule: HoldingRule,
  chunks: readonly string[],
  { status = 200, retriesEmpty = false } = {},
): Course {
  const gate = gateFor(rule, status, retriesEmpty);
  const held = chunks.map((chunk) => Buffer.from(chunk));
  let finding: Finding | undefined;
  for (const chunk of held) finding ??= gate.push(chunk);
  return { gate, held, finding };
}

describe('an event stream', () => {
  const rule = 'first-event';

  test.each<[string, string, string[], Finding | undefined]>([
    ['ATT-55', 'a good event', [EVENT], {}],
    ['ATT-55', 'a good event in pieces', [EVENT.slice(0, 9), EVENT.slice(9)], {}],
    ['ATT-55', 'half an event', [EVENT.slice(0, 9)], undefined],
    ['ATT-52', 'an error', [ERROR], { failure: 'upstream_error_event' }],
    ['ATT-54', 'an error that is for the client', [REFUSED], {}],
    [
      'ATT-54',
      'a context that is too long',
      [`data: ${JSON.stringify({ error: TOO_LONG })}\n\n`],
      { failure: 'upstream_error_event', refusal: 'context' },
    ],
    ['ATT-55', '16 KiB', ['x'.repeat(HOLDS[rule].bytes)], {}],
  ])('%s: with %s', (_clause, _, chunks, finding) => {
    expect(after(rule, chunks).finding).toEqual(finding);
  });

  test.each<[string, string, Finding]>([
    ['half an event', EVENT.slice(0, 9), {}],
    ['half an error', ERROR.trimEnd(), { failure: 'upstream_error_event' }],
  ])('ATT-56: that ends well with %s', (_, text, finding) => {
    const { gate, held } = after(rule, [text]);
    expect(gate.end(held)).toEqual(finding);
  });

  test('ATT-65: that breaks has failed', () => {
    expect(after(rule, [EVENT.slice(0, 9)]).gate.break()).toEqual({ failure: 'upstream_broken_body' });
  });

  test('ATT-55: that takes too long is chosen', () => {
    expect(after(rule, [ERROR.slice(0, 9)]).gate.expire()).toEqual({});
  });

  test.each([
    [true, { failure: 'upstream_empty_answer' }],
    [false, {}],
  ])('ATT-63: that ends with nothing in it, where that is a failure: %s', (retriesEmpty, finding) => {
    const { gate, held } = after(rule, [': waiting\n\n'], { retriesEmpty });
    expect(gate.end(held)).toEqual(finding);
  });
});

describe('a whole answer', () => {
  const rule = 'whole';
  const MiB = 1024 * 1024;

  test('ATT-64: is chosen when it has ended, however it came', () => {
    for (const chunks of [[ANSWER], ANSWER.split('')]) {
      const { gate, held, finding } = after(rule, chunks);
      expect(finding).toBeUndefined();
      expect(gate.end(held)).toEqual({});
    }
  });

  test.each([
    [MiB - 1, undefined],
    [MiB, {}],
  ])('ATT-64: of which there are %i bytes: %j', (length, finding) => {
    expect(after(rule, ['x'.repeat(1_000), 'x'.repeat(length - 1_000)]).finding).toEqual(finding);
  });

  test('ATT-64, ATT-65: that takes too long is chosen, and one that breaks has failed', () => {
    expect(after(rule, [ANSWER]).gate.expire()).toEqual({});
    expect(after(rule, [ANSWER]).gate.break()).toEqual({ failure: 'upstream_broken_body' });
  });

  test.each([
    [EMPTY, true, { failure: 'upstream_empty_answer' }],
    [EMPTY, false, {}],
    [ANSWER, true, {}],
  ])('ATT-63: %s, where to hold nothing is a failure: %s', (answer, retriesEmpty, finding) => {
    const { gate, held } = after(rule, [answer.slice(0, 5), answer.slice(5)], { retriesEmpty });
    expect(gate.end(held)).toEqual(finding);
  });
});

describe('a refusal', () => {
  const rule = 'refusal-body';

  test.each<[string, number, string, Finding]>([
    ['ATT-45', 500, GONE, { refusal: 'model' }],
    ['ATT-47', 400, JSON.stringify({ error: TOO_LONG }), { refusal: 'context' }],
    ['ATT-45', 400, GONE, {}],
    ['ATT-67', 402, '{"detail":"Subscription usage cap exceeded."}', { refusal: 'account' }],
    ['ATT-67', 500, '', {}],
  ])('%s: %i %s', (_clause, status, body, finding) => {
    for (const chunks of [[body], body.split('')]) {
      const { gate, held, finding: early } = after(rule, chunks, { status });
      expect(early).toBeUndefined();
      expect(gate.end(held)).toEqual(finding);
    }
  });

  test('ATT-50, ATT-67: of which not all has come is not recognised', () => {
    const large = GONE.replace('{', `{"x":"${'x'.repeat(HOLDS[rule].bytes)}",`);
    expect(after(rule, [large], { status: 500 }).finding).toEqual({});
    expect(after(rule, [GONE], { status: 500 }).gate.break()).toEqual({});
    expect(after(rule, [GONE], { status: 500 }).gate.expire()).toEqual({});
    expect(after(rule, ['<html>'], { status: 429 }).gate.expire()).toEqual({ refusal: 'account' });
  });
});
