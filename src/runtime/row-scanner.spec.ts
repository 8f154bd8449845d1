import { describe, expect, it } from '@jest/globals';
import { parseInTurns } from './parse-in-turns.timer.js';
import { type RowLimits, RowScanner } from './row-scanner.js';

const LIMITS: RowLimits = {
  maxRows: 3,
  maxValues: 40,
  maxDepth: 4,
  maxRowBytes: 30,
  maxRowValues: 8,
};

async function parse(json: string): Promise<unknown> {
  return parseInTurns(Buffer.from(json), LIMITS, { slice: 7 });
}

describe('RowScanner', () => {
  it('CAT-17: finds rows in batches that end with the row that is large enough', () => {
    const body = Buffer.from('{"object":"list","data":[{"a":1},{"b":2},{"c":3}, [] ],"more":[]}');
    const scanner = new RowScanner(body, LIMITS, 10);
    while (!scanner.isDone) scanner.scan(1);
    expect(scanner.skeleton).toBe('{"object":"list","data":[0],"more":[1]}');
    const batches = scanner.arrays.map((array) =>
      array.map(({ from, to, rows }) => [body.toString('utf8', from, to), rows]),
    );
    expect(batches).toEqual([
      [
        ['{"a":1},{"b":2}', 2],
        ['{"c":3}, [] ', 2],
      ],
      [['', 1]],
    ]);
  });
});

describe.each([
  ['the root', (rows: string) => rows, (rows: unknown) => rows],
  ['a member', (rows: string) => `{"data":${rows}}`, (rows: unknown) => ({ data: rows })],
])('rows of %s', (_where, textOf, valueOf) => {
  it.each([
    ['of too many bytes', `{"a":"${'x'.repeat(30)}"}`],
    ['of too many bytes, a number', '1'.repeat(31)],
    ['of too many bytes, blanks', `{${' '.repeat(30)}}`],
    ['of too many values', '[1,1,1,1,1,1,1,1,1]'],
    ['of too many empty objects', '[{},{},{},{},{}]'],
    ['that is too deep', '[[[[]]]]'],
    ['that is too deep, of objects', '{"a":{"a":{"a":{}}}}'],
  ])('CAT-22: one %s is left out, and counts as one that cannot be used', async (_what, row) => {
    const good = [{ a: 1 }, { b: 2 }];
    for (const rows of [`[{"a":1},${row},{"b":2}]`, `[${row},{"a":1},{"b":2}]`, `[{"a":1},{"b":2},${row}]`]) {
      const read = await parse(textOf(rows));
      const list = (Array.isArray(read) ? read : (read as { data: unknown }).data) as unknown[];
      expect(list.filter((value) => value !== null)).toEqual(good);
      expect(list).toHaveLength(3);
    }
  });

  it.each([
    ['rows', '[{},{},{}]', '[{},{},{},{}]'],
    ['values', `[${'1,'.repeat(37)}1]`, `[${'1,'.repeat(40)}1]`],
  ])('CAT-22: as many %s as there may be, and one more', async (what, enough, tooMuch) => {
    expect(await parse(textOf(enough))).toEqual(valueOf(JSON.parse(enough)));
    await expect(parse(textOf(tooMuch))).rejects.toThrow(
      new RangeError(`more than ${what === 'rows' ? 3 : 40} ${what}`),
    );
  });

  it('CAT-22: what is no object is no row that could be one too many', async () => {
    const rows = '[{},1,"a",null,[1],{},true,{}]';
    expect(await parse(textOf(rows))).toEqual(valueOf(JSON.parse(rows)));
  });

  it('CAT-9, CAT-22: a text that breaks off in what is too large is no JSON', async () => {
    for (const rows of ['[[[[[[', `[{"a":"${'x'.repeat(40)}`, `[${'1'.repeat(40)}`]) {
      await expect(parse(textOf(rows).replace(/\}$/, ''))).rejects.toThrow(SyntaxError);
    }
  });

  it('CAT-9, CAT-22: what stands behind one that is left out is read as strictly as ever', async () => {
    const large = '1'.repeat(40);
    for (const rows of [`[${large},]`, `[,${large}]`, `[${large},,1]`, `[${large}}`, `[${large},x]`]) {
      await expect(parse(textOf(rows))).rejects.toThrow(SyntaxError);
    }
  });
});

describe('what is not in rows', () => {
  it.each([
    ['more than 4 levels', '{"a":{"a":{"a":{"a":{}}}}}'],
    ['too many values beside its rows', '{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}'],
  ])('CAT-22: %s', async (message, json) => {
    await expect(parse(json)).rejects.toThrow(new RangeError(message));
  });

  it('CAT-22: may be long, if it is not much', async () => {
    const blanks = ' '.repeat(1_000);
    expect(await parse(`${blanks}{"note":"${blanks}","data":${blanks}[1]}${blanks}`)).toEqual({
      note: blanks,
      data: [1],
    });
  });
});
