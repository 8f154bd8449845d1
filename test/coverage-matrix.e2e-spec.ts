import { describe, expect, it } from '@jest/globals';
import {
  clausesOf,
  crowdedTitles,
  matrixProblems,
  numberingProblems,
  readSources,
  titleProblems,
  titlesOf,
  untested,
  withTests,
} from './support/clauses.js';

describe('the coverage matrix of this project', () => {
  const sources = readSources('.');
  const { clauses, titles, matrix } = sources;

  it('PRJ-6: every topic numbers its clauses from 1 without a gap', () => {
    expect(clauses.length).toBeGreaterThan(100);
    expect(numberingProblems(clauses)).toEqual([]);
  });

  it('PRJ-7: every clause that is not planned has a test', () => {
    expect(untested(clauses, titles)).toEqual([]);
  });

  it('PRJ-8: every test names clauses that exist', () => {
    expect(titleProblems(clauses, titles)).toEqual([]);
  });

  it('PRJ-25: no title names more than two clauses', () => {
    expect(crowdedTitles(titles)).toEqual([]);
  });

  it('PRJ-9: the matrix is as `npm run matrix` writes it', () => {
    expect(matrix).toBe(withTests(sources));
  });

  it('PRJ-9, PRJ-10: the matrix names every clause and claims nothing that is planned', () => {
    expect(matrixProblems(matrix, clauses)).toEqual([]);
  });
});

describe('the check behind it', () => {
  const spec = [
    '# Topic',
    '- **ABC-1** One line, and',
    '  a second one.',
    '- **ABC-2** Later. _(planned)_',
    '- Not a clause.',
  ].join('\n');
  const clauses = clausesOf(spec);

  it('PRJ-6: reads clauses with their lines and their mark, and reports gaps and repetitions', () => {
    expect(clauses).toEqual([
      { id: 'ABC-1', text: 'One line, and a second one.', isPlanned: false },
      { id: 'ABC-2', text: 'Later.', isPlanned: true },
    ]);
    expect(numberingProblems(clausesOf('- **ABC-1** One.\n- **ABC-3** Three.'))).toHaveLength(1);
    expect(numberingProblems([...clauses, ...clauses])).toHaveLength(1);
  });

  it.each([
    ["it('ABC-1, ABC-2: works', () => {})", ['ABC-1', 'ABC-2']],
    ["test.each([['ABC-3: no title', 1]])('ABC-1: %s', () => {})", ['ABC-1']],
    ["it.each`a | b`('ABC-1: $a', () => {})", ['ABC-1']],
    ['for (const a of b) it(`ABC-1: ${a}`, () => {})', ['ABC-1']],
    ["it('ABC-1: long ' + 'title', () => {})", ['ABC-1']],
    ["describe('ABC-1: all', () => { it('ABC-2: one', () => {}); })", ['ABC-1', 'ABC-2']],
    ["it.each([['ABC-1', 1], ['ABC-2', 2], ['ABC-1', 3]])('%s: %i', () => {})", ['ABC-1', 'ABC-2']],
    ["it.each(['ABC-1', 'ABC-2'] as const)('%s, ABC-3: a', () => {})", ['ABC-1', 'ABC-3', 'ABC-2', 'ABC-3']],
    ["const T = [['ABC-1']]; { const T = [['ABC-2']]; it.each(T)('%s: a', () => {}); }", ['ABC-2']],
    ["it.each([['ABC-1'], [`${a}`]])('%s: a', () => {})", ['ABC-1']],
    ["it.each(['ABC-1'])('of %s: a', () => {})", []],
    ["run((it) => it.notes('ABC-1: a'))", []],
    ["it('works, as ABC-1: says', () => {})", []],
    ["it.skip('ABC-1: later', () => {})", []],
    ["describe.skip('later', () => { it('ABC-1: one', () => {}); })", []],
    ["// it('ABC-1: gone', () => {})", []],
  ])('PRJ-7, PRJ-8: reads the ids of %s', (source, ids) => {
    const tests = titlesOf('a.spec.ts', source).filter(({ kind }) => kind === 'test');
    expect(tests.flatMap((title) => title.ids)).toEqual(ids);
  });

  it('PRJ-7: reports a clause without a test, unless it is planned', () => {
    expect(untested(clauses, titlesOf('a.spec.ts', "describe('ABC-1: all', () => {})"))).toEqual(['ABC-1']);
    expect(untested(clauses, titlesOf('a.spec.ts', "it('ABC-1: one', () => {})"))).toEqual([]);
  });

  it.each(['ABC-1, ABC-7: wrong number', 'XYZ-1: wrong topic', 'ABC-1 no colon', 'ABC-1 ABC-2: no comma'])(
    'PRJ-8: reports the title "%s"',
    (title) => {
      expect(titleProblems(clauses, titlesOf('a.spec.ts', `it(${JSON.stringify(title)})`))).toHaveLength(1);
    },
  );

  it.each(["it.each(table())('%s: a')", "it.each([...A])('%s: a')", "it.each([['ABC-1'], [b]])('%s: a')"])(
    'PRJ-8: reports that the clauses of a table cannot be read: %s',
    (source) => {
      expect(titleProblems(clauses, titlesOf('a.spec.ts', source))).toHaveLength(1);
    },
  );

  it.each([
    ["it('ABC-1, ABC-2: two', () => {})", 0],
    ["it('ABC-1, ABC-2, ABC-3: three', () => {})", 1],
    ["describe('ABC-1, ABC-2, ABC-3: three', () => {})", 1],
    ["it.each([['ABC-1'], ['ABC-1, ABC-2']])('%s, ABC-3: a', () => {})", 1],
  ])('PRJ-25: counts the clauses of %s', (source, count) => {
    expect(crowdedTitles(titlesOf('a.spec.ts', source))).toHaveLength(count);
  });

  it('PRJ-9: writes the files with the tests of each row, and changes nothing else', () => {
    const titles = [
      ...titlesOf('a.spec.ts', "it('ABC-1: one'); it('ABC-1: two'); it('plain')"),
      ...titlesOf('b.spec.ts', "it('ABC-2: three')"),
    ];
    const before = matrixOf(
      '| A | ABC-1–2 | old | planned |',
      '| B | ABC-2 | | planned |',
      '| C | ABC-9 | | planned |',
    );
    const after = matrixOf(
      '| A | ABC-1–2 | `a.spec.ts` (2), `b.spec.ts` (1) | planned |',
      '| B | ABC-2 | `b.spec.ts` (1) | planned |',
      '| C | ABC-9 | none yet | planned |',
    );
    expect(withTests({ matrix: before, clauses, titles })).toBe(after);
    expect(withTests({ matrix: after, clauses, titles })).toBe(after);
  });

  it.each([
    ['a clause that no row names', '| A | ABC-1 | | in progress |'],
    ['a clause that does not exist', '| A | ABC-*, ABC-2–3 | | in progress |'],
    ['a status that does not exist', '| A | ABC-* | | done |'],
    ['a planned clause as implemented', '| A | ABC-* | | implemented |'],
  ])('PRJ-9, PRJ-10: reports %s', (_problem, row) => {
    expect(matrixProblems(matrixOf(row), clauses)).toHaveLength(1);
  });
});

function matrixOf(...rows: string[]): string {
  return [
    'Text.',
    '<!-- matrix:begin -->',
    '| Behaviour | Clauses | Tests | Status |',
    '| - | - | - | - |',
    ...rows,
    '<!-- matrix:end -->',
    'Text.',
  ].join('\n');
}
