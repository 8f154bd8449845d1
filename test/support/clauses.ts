import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

// Loaded by Node itself, too (`npm run matrix`), so: no relative imports, and only types that can be erased.

export interface Clause {
  /** Topic and number: `ATT-3`. */
  readonly id: string;
  readonly text: string;
  readonly isPlanned: boolean;
}

export interface Title {
  readonly file: string;
  readonly kind: 'group' | 'test';
  readonly text: string;
  /** The clauses that the title names, for a test also those of the groups around it. */
  readonly ids: readonly string[];
}

export interface Row {
  readonly behaviour: string;
  /** As the matrix writes them: `ATT-3`, `ATT-3–7`, `ATT-*`. */
  readonly clauses: readonly string[];
  readonly status: string;
}

export interface Sources {
  readonly clauses: readonly Clause[];
  readonly titles: readonly Title[];
  readonly matrix: string;
}

export const MATRIX_PATH = 'research/COVERAGE_MATRIX.md';

/** Reads specs, tests and matrix of the project in the folder `root`. */
export function readSources(root: string): Sources {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const specs = globSync('specs/*/spec.md', { cwd: root }).toSorted();
  const tests = globSync(['src/**/*.spec.ts', 'test/**/*.e2e-spec.ts'], { cwd: root }).toSorted();
  return {
    clauses: specs.flatMap((path) => clausesOf(read(path))),
    titles: tests.flatMap((path) => titlesOf(path, read(path))),
    matrix: read(MATRIX_PATH),
  };
}

const CLAUSE = /^- \*\*([A-Z]+-\d+)\*\* (.+(?:\n {2}.+)*)/gm;
const PLANNED = / _\(planned\)_$/;

/** The clauses of a spec: list items that begin with an id in bold. */
export function clausesOf(spec: string): Clause[] {
  return [...spec.matchAll(CLAUSE)].map(([, id = '', lines = '']) => {
    const text = lines.replaceAll(/\s+/g, ' ');
    return { id, text: text.replace(PLANNED, ''), isPlanned: PLANNED.test(text) };
  });
}

const IDS_OF_TITLE = /^([A-Z]+-\d+(?:, [A-Z]+-\d+)*):/;

function idsOf(title: string): string[] {
  return IDS_OF_TITLE.exec(title)?.[1]?.split(', ') ?? [];
}

function union(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set(some.concat(others))];
}

/**
 * The titles of the tests and groups in a test file, of a table whose rows begin with their clause one for each clause.
 * What is skipped proves nothing and is left out.
 */
export function titlesOf(file: string, source: string): Title[] {
  const titles: Title[] = [];
  const visit = (node: ts.Node, inherited: readonly string[]): void => {
    const call = ts.isCallExpression(node) ? titledCall(node) : undefined;
    if (call?.isSkipped) return;
    const named = call?.texts.map((text) => ({
      file,
      kind: call.kind,
      text,
      ids: union(inherited, idsOf(text)),
    }));
    if (named) titles.push(...named);
    const ids = named
      ? union(
          inherited,
          named.flatMap((title) => title.ids),
        )
      : inherited;
    ts.forEachChild(node, (child) => visit(child, ids));
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true), []);
  return titles;
}

/** Reads `it('…', …)`, `describe.each(…)('…', …)` and their like. */
function titledCall({ expression, arguments: [first] }: ts.CallExpression) {
  const text = first && startOfText(first);
  const [name, ...modifiers] = wordsOf(expression);
  if (text === undefined || (name !== 'it' && name !== 'test' && name !== 'describe')) return undefined;
  if (!modifiers.every((modifier) => MODIFIERS.has(modifier))) return undefined;
  return {
    kind: name === 'describe' ? ('group' as const) : ('test' as const),
    texts: BEGINS_WITH_CELL.test(text) ? textsOfTable(text, expression) : [text],
    isSkipped: modifiers.some((modifier) => ['skip', 'todo', 'failing'].includes(modifier)),
  };
}

const MODIFIERS = new Set(['concurrent', 'each', 'failing', 'only', 'skip', 'todo']);

/** `it.only.each(table)` as `['it', 'only', 'each']`. */
function wordsOf(node: ts.Expression): string[] {
  if (ts.isIdentifier(node)) return [node.text];
  if (ts.isPropertyAccessExpression(node)) return [...wordsOf(node.expression), node.name.text];
  const isCall = ts.isCallExpression(node);
  if (!isCall && !ts.isTaggedTemplateExpression(node)) return [];
  const words = wordsOf(isCall ? node.expression : node.tag);
  return words.at(-1) === 'each' ? words : [];
}

/** The fixed text that a string begins with: all of a literal, a template up to its first value. */
function startOfText(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) return node.head.text;
  return ts.isBinaryExpression(node) ? startOfText(node.left) : undefined;
}

/** A title whose first ids stand in the rows of its table: `%s: …`, `%s, ATT-3: …`. */
const BEGINS_WITH_CELL = /^%s[:,]/;

/** The different texts that the title has with the first cell of each row; the title itself where they cannot be read. */
function textsOfTable(title: string, each: ts.Expression): string[] {
  const table = ts.isCallExpression(each) ? each.arguments[0] && literalOf(each.arguments[0]) : undefined;
  if (!table || !ts.isArrayLiteralExpression(table)) return [title];
  const cells = table.elements.map((row) => {
    const cell = ts.isArrayLiteralExpression(row) ? row.elements[0] : row;
    return cell && startOfText(cell);
  });
  return [...new Set(cells.map((cell) => (cell === undefined ? title : cell + title.slice('%s'.length))))];
}

/** What a table is, without `as const`, and by the nearest variable of its name. */
function literalOf(table: ts.Expression): ts.Expression | undefined {
  if (ts.isAsExpression(table) || ts.isSatisfiesExpression(table)) return literalOf(table.expression);
  if (!ts.isIdentifier(table)) return table;
  for (let scope: ts.Node = table.parent; scope; scope = scope.parent) {
    if (!ts.isSourceFile(scope) && !ts.isBlock(scope)) continue;
    const variables = scope.statements.filter(ts.isVariableStatement);
    const found = variables
      .flatMap(({ declarationList }) => declarationList.declarations)
      .find(({ name }) => ts.isIdentifier(name) && name.text === table.text);
    if (found) return found.initializer && literalOf(found.initializer);
  }
  return undefined;
}

/** Ids that occur twice, and numbers of a topic that are missing. */
export function numberingProblems(clauses: readonly Clause[]): string[] {
  const last = new Map<string, number>();
  return clauses.flatMap(({ id }) => {
    const [topic = '', number] = id.split('-');
    const expected = (last.get(topic) ?? 0) + 1;
    last.set(topic, Number(number));
    return Number(number) === expected ? [] : [`${id} stands where ${topic}-${expected} belongs`];
  });
}

/** Clauses that should hold but have no test. */
export function untested(clauses: readonly Clause[], titles: readonly Title[]): string[] {
  const proven = new Set(titles.filter(({ kind }) => kind === 'test').flatMap(({ ids }) => ids));
  return clauses.filter(({ id, isPlanned }) => !isPlanned && !proven.has(id)).map(({ id }) => id);
}

/** Titles that name more than two clauses: one that shows so much says of none what shows it. */
export function crowdedTitles(titles: readonly Title[]): string[] {
  return titles.filter(({ text }) => idsOf(text).length > 2).map(({ file, text }) => `${file}: "${text}"`);
}

/** Titles that name a clause which does not exist, or whose ids cannot be read. */
export function titleProblems(clauses: readonly Clause[], titles: readonly Title[]): string[] {
  const known = new Set(clauses.map(({ id }) => id));
  const topics = new Set(clauses.map(({ id }) => id.split('-')[0]));
  return titles.flatMap(({ file, text }) => {
    const ids = idsOf(text);
    const topic = /^([A-Z]+)-\d/.exec(text)?.[1];
    if (BEGINS_WITH_CELL.test(text) || (ids.length === 0 && topics.has(topic)))
      return [`${file}: the ids of "${text}" cannot be read`];
    return ids
      .filter((id) => !known.has(id))
      .map((id) => `${file}: "${text}" names ${id}, which does not exist`);
  });
}

const TABLE = /(?<=<!-- matrix:begin -->\n)[^]*?(?=<!-- matrix:end -->)/g;

/** The matrix with its column of tests made anew. */
export function withTests({ matrix, clauses, titles }: Sources): string {
  return matrix.replaceAll(TABLE, (table) => {
    const [header = '', rule = '', ...rows] = table.trimEnd().split('\n');
    const columns = cellsOf(header);
    const written = rows.map((line) => {
      const cells = cellsOf(line);
      const ids = new Set(
        clausesNamed(cells[columns.indexOf('Clauses')] ?? '').flatMap((name) => expand(name, clauses)),
      );
      return lineOf(cells.with(columns.indexOf('Tests'), testsOf(ids, titles)));
    });
    return [header, rule, ...written, ''].join('\n');
  });
}

/** All rows of the matrix. */
export function rowsOf(matrix: string): Row[] {
  return (matrix.match(TABLE) ?? []).flatMap((table) => {
    const [header = '', , ...rows] = table.trimEnd().split('\n');
    const columns = cellsOf(header);
    return rows.map((line) => {
      const cell = (name: string) => cellsOf(line)[columns.indexOf(name)] ?? '';
      return { behaviour: cell('Behaviour'), clauses: clausesNamed(cell('Clauses')), status: cell('Status') };
    });
  });
}

/** Clauses that no row names, rows that name no clause that exists, and rows that claim too much. */
export function matrixProblems(matrix: string, clauses: readonly Clause[]): string[] {
  const rows = rowsOf(matrix);
  const named = new Set(rows.flatMap((row) => row.clauses.flatMap((name) => expand(name, clauses))));
  const planned = new Set(clauses.filter(({ isPlanned }) => isPlanned).map(({ id }) => id));
  return [
    ...clauses.filter(({ id }) => !named.has(id)).map(({ id }) => `no row names ${id}`),
    ...rows.flatMap((row) => rowProblems(row, clauses, planned)),
  ];
}

function rowProblems(row: Row, clauses: readonly Clause[], planned: ReadonlySet<string>): string[] {
  const unknown = row.clauses.filter((name) => expand(name, clauses).length === 0);
  const early = row.status === 'implemented' ? row.clauses.flatMap((name) => expand(name, clauses)) : [];
  return [
    ...(STATUSES.has(row.status) ? [] : [`"${row.behaviour}" has the unknown status "${row.status}"`]),
    ...unknown.map((name) => `"${row.behaviour}" names ${name}, which does not exist`),
    ...early
      .filter((id) => planned.has(id))
      .map((id) => `"${row.behaviour}" is implemented, but ${id} is planned`),
  ];
}

const STATUSES = new Set(['planned', 'in progress', 'implemented']);

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function clausesNamed(cell: string): string[] {
  return cell.split(', ').filter((name) => name !== '');
}

/** The ids that `ATT-3`, `ATT-3–7` or `ATT-*` stands for; none if one of them does not exist. */
function expand(name: string, clauses: readonly Clause[]): string[] {
  const [topic = '', numbers = ''] = name.split('-');
  const known = clauses.map(({ id }) => id);
  if (numbers === '*') return known.filter((id) => id.startsWith(`${topic}-`));
  const [first = '', last = first] = numbers.split('–');
  const ids = Array.from(
    { length: Number(last) - Number(first) + 1 },
    (_, i) => `${topic}-${Number(first) + i}`,
  );
  return ids.every((id) => known.includes(id)) ? ids : [];
}

/** The files with tests of these clauses, each with how many. */
function testsOf(ids: ReadonlySet<string>, titles: readonly Title[]): string {
  const tests = titles.filter((title) => title.kind === 'test' && title.ids.some((id) => ids.has(id)));
  const files = Object.entries(Object.groupBy(tests, ({ file }) => file));
  return files.map(([file, inFile]) => `\`${file}\` (${inFile?.length})`).join(', ') || 'none yet';
}
