import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Job {
  readonly strategy?: { readonly matrix: { readonly include: readonly { name: string; run: string }[] } };
  readonly steps: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly if?: string;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
  readonly 'timeout-minutes'?: number;
}

interface Workflow {
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const PATH = '.github/workflows/ci.yml';
const text = readFileSync(PATH, 'utf8');
const { permissions, concurrency, jobs } = parse(text, { uniqueKeys: true }) as Workflow;
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** The scripts of package.json that a text runs; `npm test` is two of them. */
function scriptsIn(source: string): string[] {
  const named = source.matchAll(/\bnpm (?:run ([\w:]+)|(test|start)\b(?!:))/g);
  return [...named].flatMap(([, run, short = '']) => {
    if (run !== undefined) return [run];
    return short === 'test' ? ['test:unit', 'test:e2e'] : [short];
  });
}

const stepsOf = (job: string) => jobs[job]?.steps ?? [];
const commandsOf = (job: string) => stepsOf(job).flatMap(({ run }) => run ?? []);

describe('npm scripts', () => {
  const places = globSync(['*.md', 'docs/*.md', 'specs/**/*.md', 'research/*.md', PATH, '.ci/*']);

  test.each(places)('OPS-24: those that %s names exist', (path) => {
    const named = scriptsIn(readFileSync(path, 'utf8'));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('OPS-24: are looked for where they are', () => {
    expect(places).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', '.ci/run', PATH]));
    expect(scriptsIn('npm run a && npm test -- x; `npm run b:c`, npm start')).toEqual([
      'a',
      'test:unit',
      'test:e2e',
      'b:c',
      'start',
    ]);
  });
});

describe('the CI workflow', () => {
  test('OPS-25: runs all that .ci/run runs', () => {
    const inWorkflow = new Set(scriptsIn(text));
    const run = readFileSync('.ci/run', 'utf8');
    const missing = new Set(scriptsIn(run)).difference(inWorkflow);
    expect([...missing]).toEqual([]);
    for (const [, program = ''] of run.matchAll(/^(\.ci\/\w+)/gm)) expect(text).toContain(program);
  });

  test.each(['check', 'test:unit', 'test:e2e', 'smoke', 'soak', 'test:cov'])('OPS-25: runs %s', (script) => {
    const runs = jobs['scripts']?.strategy?.matrix.include.flatMap(({ run }) => scriptsIn(run));
    expect(runs).toContain(script);
  });

  test('OPS-25: a soak is short', () => {
    expect(text).toContain('npm run soak -- --minutes 1');
  });

  test('OPS-25: audits the lock file and scans the history for secrets', () => {
    expect(commandsOf('audit')).toContain('npm audit --omit=dev --audit-level=high');
    expect(commandsOf('secrets').join()).toMatch(/gitleaks\/v8@v\d+\.\d+\.\d+ git /);
    const [checkout] = stepsOf('secrets');
    expect(checkout?.with).toMatchObject({ 'fetch-depth': 0 });
  });

  test('OPS-25: may read the repository only, ends on its own, and gives way to newer commits', () => {
    expect(permissions).toEqual({ contents: 'read' });
    expect(concurrency).toBeDefined();
    const endless = Object.entries(jobs).filter(([, job]) => job['timeout-minutes'] === undefined);
    expect(endless).toEqual([]);
    expect(text).not.toMatch(/\$\{\{ *secrets\b/);
  });

  test('OPS-25: uses only actions of GitHub, each pinned', () => {
    const used = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((action) => !/^actions\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/.test(action))).toEqual([]);
  });

  test('OPS-25: caches packages and keeps the logs of what fails', () => {
    const setup = stepsOf('scripts').find(({ uses }) => uses?.startsWith('actions/setup-node@'));
    expect(setup?.with).toMatchObject({ cache: 'npm' });
    const kept = stepsOf('scripts').find((step) => step.if === 'failure()');
    expect(kept).toMatchObject({
      uses: expect.stringMatching(/^actions\/upload-artifact@/),
      with: { path: 'logs/' },
    });
    expect(commandsOf('scripts').join()).toMatch(/tee "logs\//);
  });

  test('OPS-25: keeps the logs of an image that fails', () => {
    const kept = stepsOf('image').filter((step) => step.if === 'failure()');
    expect(kept).toMatchObject([
      { run: expect.stringMatching(/docker compose logs .*tee logs\//) },
      { uses: expect.stringMatching(/^actions\/upload-artifact@/), with: { path: 'logs/' } },
    ]);
  });

  test.each([...text.matchAll(/\.ci\/\w+/g)].map(([program]) => program))(
    'OPS-24: %s exists and can be run',
    (program) => {
      expect(() => accessSync(program, constants.X_OK)).not.toThrow();
    },
  );
});
