import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../src/config/config.js';
import { type Instruction, isIgnored, readDockerfile, type Stage } from './support/dockerfile.js';

const project = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  optionalDependencies: Readonly<Record<string, string>>;
};
const STAGES = readDockerfile();
const RUNTIME = STAGES.at(-1)?.instructions ?? [];
const ALL = STAGES.flatMap(({ instructions }) => instructions);
const DIGEST = `sha256:${'0'.repeat(64)}`;

const named = (name: string, instructions: readonly Instruction[] = RUNTIME) =>
  instructions.filter((instruction) => instruction.name === name);
const basesOutside = (stages: typeof STAGES) =>
  stages.map(({ base }) => base).filter((base) => !stages.some(({ name }) => name === base));

const isInstall = ({ text }: Instruction) => text.startsWith('npm ci ');

/** The instructions of a stage after those of the stage that it goes on from. */
function withBase({ base, instructions }: Stage): Instruction[] {
  const earlier = STAGES.find(({ name }) => name === base);
  return [...(earlier?.instructions ?? []), ...instructions];
}

describe('the base image', () => {
  test('OPS-1: is the same for all stages, and of the Node that contributors have', () => {
    const versions = Object.values(project.optionalDependencies);
    expect(new Set(basesOutside(STAGES))).toEqual(
      new Set(versions.map((version) => `node:${version}-bookworm-slim`)),
    );
  });

  test('OPS-1: is pinned in all stages by the digest that the builder gives', () => {
    const [base, ...others] = new Set(basesOutside(readDockerfile({ NODE_DIGEST: DIGEST })));
    expect(base).toMatch(new RegExp(`^node:\\S+@${DIGEST}$`));
    expect(others).toEqual([]);
  });

  test('OPS-1: comes in all stages from the mirror that the builder names', () => {
    const mirror = 'registry.example/library/node';
    const bases = basesOutside(readDockerfile({ NODE_IMAGE: mirror }));
    expect(bases.filter((base) => !base.startsWith(`${mirror}:`))).toEqual([]);
  });
});

describe('what is copied', () => {
  const copies = named('COPY', ALL).map(({ flags, words }) => ({
    from: flags['from'],
    sources: words.slice(0, -1),
  }));

  test('OPS-2: every file exists and reaches the build', () => {
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    const files = sources.flatMap((source) => globSync([source, `${source}/**/*.ts`]));
    expect(files.length).toBeGreaterThan(sources.length);
    expect(sources.filter((source) => globSync(source).length === 0)).toEqual([]);
    expect(files.filter((file) => isIgnored(file) && !file.endsWith('.spec.ts'))).toEqual([]);
  });

  test('OPS-2: stages take from earlier ones only', () => {
    const early = STAGES.map(({ instructions }, i) => {
      const known = new Set(STAGES.slice(0, i).map(({ name }) => name));
      const wanted = named('COPY', instructions).flatMap(({ flags }) => flags['from'] ?? []);
      return wanted.filter((stage) => !known.has(stage));
    });
    expect(early.flat()).toEqual([]);
  });

  test('OPS-4: the user of the image may read every file of the project, whatever the umask of the checkout', () => {
    const modes = named('COPY').flatMap(({ flags, words }) =>
      words.slice(0, -1).flatMap((source) => {
        if (flags['from'] === undefined) return [[source, flags['chmod']]];
        const stage = STAGES.find(({ name }) => name === flags['from']);
        const copied = named('COPY', stage ? withBase(stage) : []);
        const earlier = copied.filter((copy) => copy.words.includes(source.replace('/app/', '')));
        return earlier.map((copy) => [source, copy.flags['chmod']]);
      }),
    );
    expect(modes).toEqual([
      ['/app/package.json', '0644'],
      ['deploy/container/healthcheck.mjs', '0644'],
    ]);
  });

  test.each(['.env', '.git/config', 'node_modules/undici/index.js', 'test/smoke/main.ts', 'src/a.spec.ts'])(
    'OPS-2: %s stays outside',
    (path) => {
      expect(isIgnored(path)).toBe(true);
    },
  );

  test('OPS-3: dependencies are installed before the source is there, so that a change of it leaves them', () => {
    const installing = STAGES.map(withBase).filter((all) => all.some(isInstall));
    const before = installing.flatMap((all) => all.slice(0, all.findIndex(isInstall)));
    const sources = named('COPY', before).flatMap(({ words }) => words.slice(0, -1));
    expect(new Set(sources)).toEqual(new Set(['package.json', 'package-lock.json']));
    expect(named('RUN', before)).toEqual([]);
  });
});

describe('how it runs', () => {
  test('OPS-4: as a user with a number, not root', () => {
    expect(named('USER').map(({ text }) => text)).toEqual(['10001:10001']);
  });

  test.each(['ENTRYPOINT', 'HEALTHCHECK'])('OPS-5: %s starts Node without a shell', (name) => {
    const [instruction, ...others] = named(name);
    expect(others).toEqual([]);
    expect(instruction?.text).toMatch(/^(?:--\S+ |CMD )*\["node", .*\]$/);
  });

  test('OPS-5: it says which port the router listens at by default', () => {
    expect(named('EXPOSE').map(({ text }) => Number(text))).toEqual([loadConfig({}).listen.port]);
  });
});

describe('the same input', () => {
  test('OPS-7: labels tell title, version and revision, and no time', () => {
    const all = named('LABEL')
      .map((label) => label.text)
      .join(' ');
    const labels = [...all.matchAll(/org\.opencontainers\.image\.(\w+)=/g)].map(([, label]) => label);
    expect(labels).toEqual(['title', 'description', 'version', 'revision']);
    expect(named('ARG').map(({ text }) => text)).toContain(`VERSION=${project.version}`);
  });

  test('OPS-7: nothing is fetched but what the lock file names, and nothing asks for the time', () => {
    const commands = named('RUN', ALL).map(({ text }) => text);
    expect(commands.filter((command) => !/^(?:npm ci |node node_modules\/)/.test(command))).toEqual([]);
    expect(named('ARG').map(({ text }) => text)).toContain('SOURCE_DATE_EPOCH');
  });
});
