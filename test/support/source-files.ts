import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** A file of the program. */
export interface SourceFile {
  /** From `src/` on, with slashes. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly tree: ts.SourceFile;
}

interface Import {
  readonly specifier: string;
  /** Whether nothing is left of it at run time. */
  readonly isErased: boolean;
}

/** All files below `src/` but the tests. */
export function readSourceFiles(root: string): SourceFile[] {
  const paths = globSync('**/*.ts', { cwd: join(root, 'src'), exclude: ['**/*.spec.ts'] });
  return paths
    .toSorted()
    .map((path) => sourceFile(path.replaceAll('\\', '/'), readFileSync(join(root, 'src', path), 'utf8')));
}

export function sourceFile(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, tree, imports: all(tree).flatMap((node) => importOf(node) ?? []) };
}

function all(node: ts.Node): ts.Node[] {
  return [node, ...childrenOf(node).flatMap(all)];
}

function childrenOf(node: ts.Node): ts.Node[] {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  return children;
}

/** Also of `export … from` and `import(…)`. A type that is marked within the braces leaves the import itself behind. */
function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) {
    const isErased = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: textOf(node.moduleSpecifier), isErased };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    return { specifier: textOf(node.moduleSpecifier), isErased: node.isTypeOnly };
  }
  if (
    ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword &&
    node.arguments[0]
  ) {
    return { specifier: textOf(node.arguments[0]), isErased: false };
  }
  return undefined;
}

function textOf(node: ts.Expression): string {
  return ts.isStringLiteralLike(node) ? node.text : node.getText();
}

/** The ground floor. */
const GROUND = ['config', 'openai', 'request', 'runtime'];
const EVERYWHERE = [...GROUND, 'telemetry'];

/** Which other folders a folder may use. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  config: [],
  openai: [],
  request: ['openai'],
  runtime: [],
  telemetry: GROUND,
  egress: EVERYWHERE,
  catalog: [...EVERYWHERE, 'egress'],
  'http-edge': EVERYWHERE,
  upstream: [...EVERYWHERE, 'egress'],
  ranking: [...EVERYWHERE, 'catalog'],
  sticky: [...EVERYWHERE, 'reading', 'catalog'],
  reading: [...EVERYWHERE, 'catalog'],
  routing: [...EVERYWHERE, 'ranking', 'catalog'],
  proxy: [...EVERYWHERE, 'http-edge', 'reading', 'routing', 'sticky', 'upstream', 'catalog'],
  evidence: [...EVERYWHERE, 'upstream', 'catalog'],
  lifecycle: [...EVERYWHERE, 'http-edge', 'upstream'],
  health: [...EVERYWHERE, 'lifecycle', 'routing', 'catalog'],
  status: [...EVERYWHERE, 'http-edge', 'lifecycle', 'health', 'routing', 'ranking', 'catalog'],
  simulator: [],
  demo: ['.', ...EVERYWHERE, 'simulator', 'status'],
};

/** What is not the router: a simulated upstream, and a tour that starts both. */
export const ASIDE = /^(?:demo|simulator)\//;

/** Imports that go where they must not, types included. */
export function directionProblems(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) => {
    const own = posix.dirname(path).split('/', 1)[0] ?? '.';
    if (own === '.') return [];
    return imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(
        ({ specifier }) => posix.dirname(posix.join(posix.dirname(path), specifier)).split('/', 1)[0] ?? '.',
      )
      .filter((folder) => folder !== own && MAY_USE[own]?.includes(folder) !== true)
      .map((folder) => `${path} uses ${folder === '.' ? 'a file directly in src' : folder}`);
  });
}

const ROLES = 'module|service|controller|filter|indicator|client|store|refresher|factory|timer|socket';
const HAS_ROLE = new RegExp(`(?:\\.(?:${ROLES})|(?:^|/)main)\\.ts$`);
const FRAMEWORK = /^(?:@nestjs\/|nestjs-|@willsoto\/nestjs-|@?fastify(?:\/|$)|undici(?:\/|$)|pino(?:[-/]|$))/;

const OF_THE_WORLD = /^(?:node:)?(process|fs|fs\/promises|timers|timers\/promises)$/;
const TIMERS = /^(?:set|clear)(?:Timeout|Interval|Immediate)$/;
const MAX_LINES = 200;

/** What keeps files without a role in their name from being pure. */
export function purityProblems(files: readonly SourceFile[]): string[] {
  const core = files.filter(({ path }) => !HAS_ROLE.test(path) && !ASIDE.test(path));
  return core.flatMap((file) => impurities(file).map((impurity) => `${file.path} ${impurity}`));
}

function impurities({ imports, tree }: SourceFile): string[] {
  const found = imports
    .filter(({ specifier, isErased }) => !isErased && FRAMEWORK.test(specifier))
    .map(({ specifier }) => `imports ${specifier}`);
  for (const { specifier, isErased } of imports) {
    const module = OF_THE_WORLD.exec(specifier)?.[1];
    if (module !== undefined && !isErased)
      found.push(module === 'process' ? 'uses process' : `imports ${specifier}`);
  }
  const nodes = all(tree);
  if (nodes.some(isProcess)) found.push('uses process');
  for (const clock of ['Date.now', 'performance.now'])
    if (nodes.some(isAccess(clock))) found.push(`uses ${clock}`);
  for (const name of new Set(nodes.filter(isTimer).map((node) => node.getText()))) found.push(`uses ${name}`);
  return [...new Set(found)];
}

/** The files that have more than 200 lines and do not begin with a comment that says why. */
export function lengthProblems(files: readonly SourceFile[]): string[] {
  return files
    .filter(
      ({ tree }) => tree.text.trimEnd().split('\n').length > MAX_LINES && !tree.text.startsWith('// Long: '),
    )
    .map(({ path }) => path);
}

/** Every reading of the environment with what it is read for. */
export function environmentReads(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, tree }) =>
    all(tree)
      .filter(isProcess)
      .map(({ parent }) => parent)
      // Whoever takes hold of all of `process` can read it, too.
      .filter((user) => !ts.isPropertyAccessExpression(user) || user.name.text === 'env')
      .map((user) => `${path}: ${user.parent.getText()}`),
  );
}

/** The paths of the files that call a function, once for each call. */
export function callersOf(name: string, files: readonly SourceFile[]): string[] {
  const isCall = (node: ts.Node) => ts.isCallExpression(node) && node.expression.getText() === name;
  return files.flatMap(({ path, tree }) =>
    all(tree)
      .filter(isCall)
      .map(() => path),
  );
}

/** The paths of the files with exception filters, once for each. */
export function exceptionFilters(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, tree }) =>
    all(tree)
      .filter(isExceptionFilter)
      .map(() => path),
  );
}

function isExceptionFilter(node: ts.Node): boolean {
  if (!ts.isClassDeclaration(node)) return false;
  const isDecorated = ts.getDecorators(node)?.some(({ expression }) => /^Catch\b/.test(expression.getText()));
  const isDerived = node.heritageClauses?.some((clause) => /ExceptionFilter\b/.test(clause.getText()));
  return isDecorated === true || isDerived === true;
}

/** Whether this is the global `process`, not a property of that name. */
function isProcess(node: ts.Node): boolean {
  if (!ts.isIdentifier(node) || node.text !== 'process') return false;
  const { parent } = node;
  const isName = 'name' in parent && parent.name === node;
  return !isName || ts.isShorthandPropertyAssignment(parent);
}

function isAccess(text: string): (node: ts.Node) => boolean {
  return (node) => ts.isPropertyAccessExpression(node) && node.getText() === text;
}

function isTimer(node: ts.Node): boolean {
  return ts.isIdentifier(node) && TIMERS.test(node.text) && !ts.isPropertyAccessExpression(node.parent);
}
