import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../src/config/config.js';
import { Environment } from '../src/config/environment.js';
import { STATUS_OF_CODE } from '../src/openai/error-response.js';
import { readDockerfile } from './support/dockerfile.js';

const read = (path: string) => readFileSync(path, 'utf8');

/** The cells of all rows of tables that begin with a name in code. */
function rowsOf(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const codeOf = ([cell = '']: readonly string[]) => cell.replaceAll('`', '');

describe('documents', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'research/*.md', 'specs/**/*.md', 'testdata/*.md']);

  test.each(documents)('OPS-24: the files that %s links to exist', (path) => {
    const links = [...read(path).matchAll(/\]\((?!\w+:)([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(join(dirname(path), link)))).toEqual([]);
  });
});

describe('docs/troubleshooting.md', () => {
  const rows = rowsOf(read('docs/troubleshooting.md'));

  test('OPS-26: explains every error code of the router, and no other', () => {
    expect(new Set(rows.map(codeOf))).toEqual(new Set(Object.keys(STATUS_OF_CODE)));
  });

  test('OPS-26: has the status of each, and of each what to do', () => {
    // The codes of /readyz have no column of statuses: theirs is 503.
    const withStatus = rows.filter((row) => /^\d+$/.test(row[1] ?? ''));
    expect(withStatus.length).toBeGreaterThan(20);
    const statuses: Readonly<Record<string, number>> = STATUS_OF_CODE;
    expect(withStatus.filter((row) => statuses[codeOf(row)] !== Number(row[1]))).toEqual([]);
    expect(rows.filter((row) => row.length < 3 || row.includes(''))).toEqual([]);
  });
});

describe('docs/deployment.md', () => {
  const text = read('docs/deployment.md');

  test('OPS-27: tells user, port, base image and times as they are', () => {
    const runtime = readDockerfile().at(-1);
    const user = runtime?.instructions.find(({ name }) => name === 'USER')?.text;
    const { shutdown, listen, requests } = loadConfig({});
    expect(text).toMatch(new RegExp(`user and group +\\| ${user},`));
    expect(text).toMatch(new RegExp(`port +\\| ${listen.port} `));
    expect(text).toContain(`imagetools inspect ${runtime?.base} `);
    expect(text).toContain(`by default ${(shutdown.drainMs + shutdown.graceMs) / 1_000} s`);
    expect(text).toContain(`bodies of ${requests.maxBytes / 2 ** 20} MiB`);
  });

  test.each(['docs/deployment.md', 'docs/troubleshooting.md', 'SECURITY.md'])(
    'OPS-27: the settings that %s names exist',
    (path) => {
      const ofClients = ['ANTHROPIC_BASE_URL', 'OPENAI_DEFAULT_MODEL'];
      const ofCompose = [...read('docker-compose.yaml').matchAll(/\$\{(\w+)/g)].map(String);
      const others = ['NODE_EXTRA_CA_CERTS', ...ofClients, ...ofCompose];
      const known = [...Object.keys(new Environment()), ...others].join();
      const named = [...read(path).matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(
        ([, name = '']) => name,
      );
      expect(named.length).toBeGreaterThan(2);
      expect(named.filter((name) => !known.includes(name))).toEqual([]);
    },
  );
});
