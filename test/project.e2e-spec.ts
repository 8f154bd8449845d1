import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  ASIDE,
  callersOf,
  directionProblems,
  environmentReads,
  exceptionFilters,
  lengthProblems,
  purityProblems,
  readSourceFiles,
  sourceFile,
} from './support/source-files.js';
import { CompletionsController } from '../src/proxy/completions.controller.js';

describe('the sources of this project', () => {
  const files = readSourceFiles('.');
  const program = files.filter(({ path }) => !ASIDE.test(path));

  it('PRJ-1: imports between the folders run one way', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(directionProblems(files)).toEqual([]);
  });

  it('PRJ-2: files without a role do without frameworks, process and the clock', () => {
    expect(purityProblems(files)).toEqual([]);
  });

  it('PRJ-20: a file over 200 lines says why', () => {
    expect(lengthProblems(files)).toEqual([]);
  });

  it('PRJ-21: no guard, pipe or interceptor stands where the front door goes past it', () => {
    const onTheController = [
      CompletionsController,
      Object.getOwnPropertyDescriptor(CompletionsController.prototype, 'complete')?.value as object,
    ].flatMap((target) => Reflect.getMetadataKeys(target) as string[]);
    expect(onTheController).toContain('path');
    expect(onTheController.filter((key) => /guards|pipes|interceptors/.test(key))).toEqual([]);
    expect(program.filter(({ tree }) => /useGlobal|APP_(?:GUARD|PIPE|INTERCEPTOR)/.test(tree.text))).toEqual(
      [],
    );
  });

  it('PRJ-3: the environment is read once, by loadConfig in main.ts', () => {
    expect(environmentReads(program).filter((read) => /\benv\b/.test(read))).toEqual([
      'main.ts: loadConfig(process.env)',
    ]);
    expect(callersOf('loadConfig', program)).toEqual(['main.ts']);
    expect(callersOf('loadConfig', files).filter((path) => !path.endsWith('/main.ts'))).toEqual(['main.ts']);
  });

  it('PRJ-4: there is one exception filter', () => {
    expect(exceptionFilters(files)).toEqual(['http-edge/api-exception.filter.ts']);
    expect(program.filter(({ tree }) => tree.text.includes('useGlobalFilters'))).toEqual([]);
  });

  it('PRJ-26: whoever points a router at feeds of its own leaves out none', () => {
    const starters = globSync(['src/**/*.ts', 'test/**/*.ts'])
      .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
      .filter(({ text }) => /^ *UTILIZATION_URL: /m.test(text));
    expect(starters.length).toBeGreaterThan(5);
    expect(starters.filter(({ text }) => !/^ *STATS_URL: /m.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('PRJ-5: there are no barrels', () => {
    expect(globSync(['src/**/index.*', 'test/**/index.*'])).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');

  it('PRJ-23: names files that exist', () => {
    const named = [...text.matchAll(/`((?:src|docs|assembly|deploy|test)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('PRJ-23: names every folder of src', () => {
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the checks behind it', () => {
  it.each([
    ['proxy/a.ts', "import { b } from '../catalog/b.js';", []],
    ['proxy/a.ts', "import { b } from './b.js';", []],
    ['health/a.module.ts', "export { b } from '../lifecycle/b.js';", []],
    ['app.module.ts', "import { b } from './proxy/b.js';", []],
    ['demo/main.ts', "import { b } from '../app.factory.js';", []],
    ['catalog/a.ts', "import { b } from '../ranking/b.js';", ['catalog/a.ts uses ranking']],
    ['catalog/deep/a.ts', "import { b } from '../../ranking/b.js';", ['catalog/deep/a.ts uses ranking']],
    ['catalog/a.ts', "import type { B } from '../proxy/b.js';", ['catalog/a.ts uses proxy']],
    ['openai/a.ts', "export * from '../telemetry/b.js';", ['openai/a.ts uses telemetry']],
    ['config/a.ts', "const b = await import('../openai/b.js');", ['config/a.ts uses openai']],
    ['proxy/a.ts', "import { b } from '../demo/b.js';", ['proxy/a.ts uses demo']],
    ['proxy/a.ts', "import { b } from '../app.factory.js';", ['proxy/a.ts uses a file directly in src']],
    ['proxy/a.ts', "import { b } from '../../test/support/b.js';", ['proxy/a.ts uses ..']],
    ['novel/a.ts', "import { b } from '../catalog/b.js';", ['novel/a.ts uses catalog']],
  ])('PRJ-1: in %s reads %s', (path, text, problems) => {
    expect(directionProblems([sourceFile(path, text)])).toEqual(problems);
  });

  it.each([
    ["import type { Agent } from 'undici';", []],
    ["export type { Logger } from 'pino';", []],
    ["import { fastUri } from 'fast-uri';", []],
    ['export class A { process(): string { return this.process(); } }', []],
    ['const b = { process: 1, now: Date.parse("1") };', []],
    ["import { type Agent } from 'undici';", ['sticky/a.ts imports undici']],
    ["import { Injectable } from '@nestjs/common';", ['sticky/a.ts imports @nestjs/common']],
    ["import { Logger } from 'nestjs-pino';", ['sticky/a.ts imports nestjs-pino']],
    ["export { pino } from 'pino';", ['sticky/a.ts imports pino']],
    ["const { fastify } = await import('fastify');", ['sticky/a.ts imports fastify']],
    ['export const now = () => Date.now();', ['sticky/a.ts uses Date.now']],
    ['export const clock = Date.now;', ['sticky/a.ts uses Date.now']],
    ['process.exit(1);', ['sticky/a.ts uses process']],
    ['const { env } = process;', ['sticky/a.ts uses process']],
    ['export const all = { process };', ['sticky/a.ts uses process']],
    ["import { env } from 'node:process';", ['sticky/a.ts uses process']],
    ["import type { Stats } from 'node:fs';", []],
    ["import { readFileSync } from 'node:fs';", ['sticky/a.ts imports node:fs']],
    [
      "import { setTimeout as pause } from 'node:timers/promises';",
      ['sticky/a.ts imports node:timers/promises', 'sticky/a.ts uses setTimeout'],
    ],
    ['export const now = () => performance.now();', ['sticky/a.ts uses performance.now']],
    [
      'setImmediate(() => setTimeout(f, 1));',
      ['sticky/a.ts uses setImmediate', 'sticky/a.ts uses setTimeout'],
    ],
    ['response.setTimeout(1);', []],
  ])('PRJ-2: in a file without a role reads %s', (text, problems) => {
    expect(purityProblems([sourceFile('sticky/a.ts', text)])).toEqual(problems);
  });

  it('PRJ-2: leaves files with a role alone, and tells them by their names', () => {
    const text = "import { Agent } from 'undici'; process.exit(Date.now());";
    const names = [
      'sticky/a.store.ts',
      'app.factory.ts',
      'main.ts',
      'demo/a.ts',
      'sticky/store.ts',
      'domain.ts',
    ];
    const reported = names.filter((path) => purityProblems([sourceFile(path, text)]).length > 0);
    expect(reported).toEqual(['sticky/store.ts', 'domain.ts']);
  });

  it('PRJ-20: sees which files are long', () => {
    const long = '\n'.repeat(200);
    const texts = [
      `${long}a();`,
      `// Long: it is a table.${long}a();`,
      `${long.slice(1)}a();`,
      `// Because.${long}a();`,
    ];
    const files = texts.map((text, i) => sourceFile(`sticky/${i}.ts`, text));
    expect(lengthProblems(files)).toEqual(['sticky/0.ts', 'sticky/3.ts']);
  });

  it.each([
    ['loadConfig(process.env);', ['a.ts: loadConfig(process.env)']],
    ['const port = process.env.PORT ?? 80;', ['a.ts: process.env.PORT']],
    ['const { env } = process;', ['a.ts: const { env } = process']],
    ["process.on('SIGTERM', stop); process.exit(0);", []],
  ])('PRJ-3: sees where the environment is read in %s', (text, reads) => {
    expect(environmentReads([sourceFile('a.ts', text)])).toEqual(reads);
  });

  it('PRJ-3: counts the callers of a function', () => {
    const twice = sourceFile('a.ts', 'loadConfig(a); const b = loadConfig({}); loadConfigs();');
    expect(callersOf('loadConfig', [twice])).toEqual(['a.ts', 'a.ts']);
  });

  it.each([
    ['@Catch() class A {}', 1],
    ['@Catch(HttpException) export class A implements ExceptionFilter {}', 1],
    ['class A extends BaseExceptionFilter {}', 1],
    ['@Catch() class A {} @Catch() class B {}', 2],
    ['@Injectable() class A implements OnModuleInit {}', 0],
  ])('PRJ-4: in %s there are %i exception filters', (text, count) => {
    expect(exceptionFilters([sourceFile('a.ts', text)])).toHaveLength(count);
  });
});
