import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { LogBacklog } from './log-backlog.js';

const PAGE_BYTES = 64;

function backlogOf(maxBytes = 16_384): LogBacklog {
  return new LogBacklog({ pageBytes: PAGE_BYTES, maxBytes }, (dropped) => `${dropped} dropped\n`);
}

/** What comes out where a write takes so many bytes at most, until nothing is left. */
function drain(backlog: LogBacklog, perWrite = Infinity, before: readonly Buffer[] = []): string {
  const written = [...before];
  while (!backlog.isEmpty) {
    const bytes = backlog.next().subarray(0, perWrite);
    written.push(Buffer.from(bytes));
    backlog.advance(bytes.length);
  }
  return Buffer.concat(written).toString();
}

describe('lines come out whole and in their order', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `${text}\n`);
  const step = fc.oneof(line, fc.integer({ min: 0, max: 100 }));

  test('OBS-38: whatever their length, and however many bytes a write takes', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const backlog = backlogOf(1_000_000);
        const [added, written]: [string[], Buffer[]] = [[], []];
        for (const next of steps) {
          if (typeof next === 'string') {
            added.push(next);
            backlog.add(next);
            continue;
          }
          const bytes = backlog.next().subarray(0, next);
          written.push(Buffer.from(bytes));
          backlog.advance(bytes.length);
        }
        expect(drain(backlog, Infinity, written)).toBe(added.join(''));
      }),
    );
  });

  test.each([1, 3, 7, 64])('OBS-38: with writes that take %i bytes', (perWrite) => {
    const backlog = backlogOf();
    const lines = Array.from({ length: 40 }, (_, n) => `line ${n}, ${'ä'.repeat(n % 8)}\n`);
    for (const next of lines) backlog.add(next);
    expect(drain(backlog, perWrite)).toBe(lines.join(''));
  });

  test('OBS-38: bytes that are being written stay as they are while lines come', () => {
    const backlog = backlogOf();
    backlog.add('first\n');
    const bytes = backlog.next();
    for (let n = 0; n < 20; n += 1) backlog.add(`line ${n}\n`);
    expect(bytes.toString()).toBe('first\n');
    backlog.advance(bytes.length);
    expect(drain(backlog)).toMatch(/^line 0\n[^]*line 19\n$/);
  });

  test('OBS-38: a line longer than a page', () => {
    const backlog = backlogOf();
    const lines = ['x'.repeat(200), 'short', 'y'.repeat(100), 'z'].map((text) => `${text}\n`);
    for (const next of lines) backlog.add(next);
    expect(drain(backlog)).toBe(lines.join(''));
    expect(backlog.isEmpty).toBe(true);
  });
});

test('OBS-38: says when a page is full, once for each', () => {
  const backlog = backlogOf();
  // Until it is written, a line is taken to need three bytes a letter: six of these fit, and a seventh might not.
  const answers = Array.from({ length: 15 }, () => backlog.add('1234567\n'));
  expect(answers.flatMap((isNew, n) => (isNew ? [n] : []))).toEqual([6, 12]);
});

describe('what nobody reads', () => {
  test('OBS-31: is dropped beyond the bound, line by line, and what came before stays', () => {
    const backlog = backlogOf(2 * PAGE_BYTES);
    for (let n = 0; n < 1_000; n += 1) backlog.add(`${n}\n`);
    // This one would still fit.
    backlog.add('\n');
    const lines = drain(backlog).trimEnd().split('\n');
    const last = lines.pop();
    expect(lines).toEqual(lines.map((_, n) => String(n)));
    expect(lines.length).toBeGreaterThan(30);
    expect(last).toBe(`${1_001 - lines.length} dropped`);
  });

  test('OBS-31, OBS-39: how many were dropped is told once, where they would stand', () => {
    const backlog = backlogOf(2 * PAGE_BYTES);
    const numbers = Array.from({ length: 100 }, (_, n) => String(n));
    for (const number of numbers) backlog.add(`${number}\n`);
    let text = drain(backlog);
    backlog.add('later\n');
    text += drain(backlog);
    const [, dropped] = /(\d+) dropped\nlater\n$/.exec(text) ?? [];
    expect(text.match(/dropped/g)).toHaveLength(1);
    expect(Number(dropped)).toBe(100 - text.split('\n').indexOf(`${dropped} dropped`));
  });
});

test('OBS-38: a line larger than the bound goes out alone', () => {
  const backlog = backlogOf(2 * PAGE_BYTES);
  const lines = ['x'.repeat(1_000), 'next'].map((text) => `${text}\n`);
  backlog.add(lines[0] as string);
  backlog.add(`${'y'.repeat(1_000)}\n`);
  expect(drain(backlog)).toBe(`${lines[0]}1 dropped\n`);
  backlog.add(lines[1] as string);
  expect(drain(backlog)).toBe(lines[1]);
});
