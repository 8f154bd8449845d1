import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from './case.ts';

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const;

/** What came of a run. */
export interface Report {
  readonly startedAt: string;
  readonly durationMs: number;
  /** Where the router is; undefined if it did not come up. */
  readonly router: string | undefined;
  readonly node: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cases: readonly Result[];
}

export function reportOf(startedAt: Date, router: string | undefined, cases: readonly Result[]): Report {
  const count = (outcome: Result['outcome']) => cases.filter((one) => one.outcome === outcome).length;
  return {
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    router,
    node: process.version,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    cases,
  };
}

/** One line of the table for the terminal. */
export function lineOf({ group, name, outcome, ms, detail }: Result): string {
  const time = outcome === 'skipped' ? '' : `${ms} ms`;
  const line = `${MARKS[outcome]} ${group.padEnd(11)} ${name.padEnd(76)} ${time.padStart(8)}`;
  return detail === '' ? line : `${line}  ${detail}`;
}

export function summaryOf({ passed, failed, skipped }: Report): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Writes the report as JSON and as Markdown, under the time of its start and as `latest`.
 *
 * @param log what the router has written, if that is known
 * @returns the path of the Markdown
 */
export async function writeReport(folder: string, report: Report, log?: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const texts = Object.entries({
    json: `${JSON.stringify(report, null, 2)}\n`,
    md: markdownOf(report),
    ...(log === undefined ? {} : { log }),
  });
  // Colons are not for file names everywhere.
  const stamp = report.startedAt.replaceAll(':', '-');
  for (const name of [stamp, 'latest']) {
    for (const [ending, text] of texts) await writeFile(join(folder, `${name}.${ending}`), text);
  }
  return join(folder, `${stamp}.md`);
}

function markdownOf(report: Report): string {
  const rows = report.cases.map(
    ({ group, name, outcome, ms, detail }) =>
      `| ${MARKS[outcome]} | ${group} | ${cell(name)} | ${outcome === 'skipped' ? '' : ms} | ${cell(detail)} |`,
  );
  return [
    `# Smoke test: ${summaryOf(report)}`,
    '',
    `${report.startedAt}, ${report.router ?? 'no router'}, Node ${report.node}, ${report.durationMs} ms`,
    '',
    '| | group | case | ms | |',
    '| --- | --- | --- | --: | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
