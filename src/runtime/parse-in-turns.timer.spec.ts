import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseInTurns } from './parse-in-turns.timer.js';
import type { RowLimits } from './row-scanner.js';

const LIMITS: RowLimits = {
  maxRows: 1_000,
  maxValues: 10_000,
  maxDepth: 20,
  maxRowBytes: 5_000,
  maxRowValues: 1_000,
};

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
/** Rows as the root, as a member, and as several members of one name or not. */
const document = fc.oneof(
  { weight: 4, arbitrary: rows },
  { weight: 3, arbitrary: rows.map((data) => ({ object: 'list', data, has_more: false })) },
  { weight: 2, arbitrary: fc.dictionary(text, fc.oneof(rows, rows, row, text), { maxKeys: 4 }) },
  { weight: 1, arbitrary: fc.oneof(text, fc.integer(), fc.constant(null), row) },
);

async function parse(json: string, size?: number, limits = LIMITS): Promise<unknown> {
  return parseInTurns(Buffer.from(json), limits, { slice: size });
}

/** The value, or that there is none. */
async function outcomeOf(reading: () => unknown): Promise<unknown> {
  try {
    return [await reading()];
  } catch (error) {
    return (error as Error).name;
  }
}

describe('a text parsed in turns', () => {
  test('CAT-17: is what JSON.parse makes of it, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(document, indent, slice, async (value, space, length) => {
        const json = JSON.stringify(value, undefined, space);
        expect(await parse(json, length)).toEqual(JSON.parse(json));
      }),
      { numRuns: 1_000 },
    );
  });

  test('CAT-9, CAT-17: fails where JSON.parse fails', async () => {
    const patch = fc.constantFrom('', ',', '},{', '}', ']', '[', '"', '{}', 'null', '},');
    await fc.assert(
      fc.asyncProperty(
        document,
        fc.nat(),
        fc.nat(3),
        patch,
        slice,
        async (value, place, length, by, size) => {
          const json = JSON.stringify(value);
          const at = place % json.length;
          const broken = json.slice(0, at) + by + json.slice(at + length);
          expect(await outcomeOf(() => parse(broken, size))).toEqual(
            await outcomeOf(() => JSON.parse(broken) as unknown),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each(['root', 'member'])('CAT-17: others get their turns meanwhile: rows as %s', async (shape) => {
    const list = Array.from({ length: 100 }, (_, n) => ({ n }));
    const json = JSON.stringify(shape === 'root' ? list : { data: list });
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await parse(json, 100);
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});

describe('what JSON.parse makes of', () => {
  test.each([
    '{"data":[1],"data":[2,3]}',
    '{"data":[1,2],"data":0}',
    '{"d\\u0061ta":[{"a":[1,[2]]}]}',
    '{"__proto__":[{"a":1}],"constructor":[2]}',
    '[{"__proto__":{"a":1}}]',
    ' [ ] ',
    '{"data":[\n]}',
    '{"data":[[],[[]]]}',
    '"[1,2]"',
    '["\\\\","\\"]","}"]',
    '["\u20ac,\u{1f600}","\ufeff"]',
    '7',
    'null',
    '[1,]',
    '[,1]',
    '[,]',
    '[1,,2]',
    '[1}',
    '{"data":[1}]',
    '{"data":[1}',
    '[1]]',
    '[1],',
    '1,2',
    '[1][2]',
    '{"data":[1],"b":[2,',
    '[1,2',
    '["a',
    '["a\\',
    '{[1]:2}',
    '',
    ']',
    ',',
    '[1],[2]',
    '[1 2]',
    '[1]2',
  ])('CAT-9, CAT-17: %j', async (json) => {
    for (let size = 1; size <= 12; size++) {
      expect(await outcomeOf(() => parse(json, size))).toEqual(
        await outcomeOf(() => JSON.parse(json) as unknown),
      );
    }
  });
});
