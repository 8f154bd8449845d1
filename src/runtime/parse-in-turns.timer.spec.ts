import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseInTurns } from './parse-in-turns.timer.js';

/** Texts full of what looks like a border between two rows. */
const string = fc.array(fc.constantFrom('},{', '}', '{', '[', ']', '"', '\\', ',', ' ', 'a'), {
  maxLength: 5,
});
const text = string.map((parts) => parts.join(''));
const { row } = fc.letrec<{ row: object; value: unknown }>((tie) => ({
  row: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.constant(null),
    tie('row'),
    fc.array(tie('row'), { maxLength: 3 }),
  ),
}));
const rows = fc.array(fc.oneof({ weight: 5, arbitrary: row }, { weight: 1, arbitrary: text }), {
  maxLength: 12,
});
const indent = fc.constantFrom('', ' ', '\n\t');
const slice = fc.integer({ min: 1, max: 40 });

/** The value, or that there is none. */
async function outcomeOf(parse: () => unknown): Promise<unknown> {
  try {
    return [await parse()];
  } catch (error) {
    return (error as Error).name;
  }
}

describe('a text parsed in turns', () => {
  test('CAT-17: is what JSON.parse makes of it, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(rows, indent, slice, async (value, space, length) => {
        const json = JSON.stringify(value, undefined, space);
        expect(await parseInTurns(json, length)).toEqual(JSON.parse(json));
      }),
      { numRuns: 1_000 },
    );
  });

  test('CAT-9, CAT-17: fails where JSON.parse fails', async () => {
    const patch = fc.constantFrom('', ',', '},{', '}', ']', '[', '"', '{}', 'null', '},');
    await fc.assert(
      fc.asyncProperty(rows, fc.nat(), fc.nat(3), patch, slice, async (value, place, length, by, size) => {
        const json = JSON.stringify(value);
        const at = place % json.length;
        const broken = json.slice(0, at) + by + json.slice(at + length);
        expect(await outcomeOf(() => parseInTurns(broken, size))).toEqual(
          await outcomeOf(() => JSON.parse(broken) as unknown),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('CAT-17: others get their turns meanwhile', async () => {
    const json = JSON.stringify(Array.from({ length: 100 }, (_, n) => ({ n })));
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await parseInTurns(json, 100);
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});
