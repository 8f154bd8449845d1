import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chartOf } from './chart.ts';
import type { PolicyName } from './policies.ts';
import type { Figure, Summary } from './summary.ts';

/** What came of one scenario. */
export interface Row {
  readonly scenario: string;
  readonly policies: Partial<Record<PolicyName, Summary>>;
}

export interface Report {
  readonly startedAt: string;
  readonly seeds: readonly number[];
  readonly minutes: number;
  /** Settings of the router that are not at their defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

interface Column {
  readonly head: string;
  readonly width: number;
  readonly cell: (summary: Summary) => string;
}

const COLUMNS: readonly Column[] = [
  { head: 'p50 s', width: 7, cell: ({ p50S }) => p50S.mean.toFixed(2) },
  { head: 'p95 s', width: 20, cell: ({ p95S }) => spanned(p95S, 2) },
  { head: 'p99 s', width: 8, cell: ({ p99S }) => p99S.mean.toFixed(2) },
  { head: 'failed %', width: 20, cell: ({ failedShare }) => spanned(failedShare, 2, 100) },
  { head: '> 10 s or lost %', width: 20, cell: ({ slowOrLostShare }) => spanned(slowOrLostShare, 2, 100) },
  { head: 'attempts', width: 9, cell: ({ attemptsPerRequest }) => attemptsPerRequest.mean.toFixed(3) },
  { head: 'moves', width: 6, cell: ({ movesPerConversation }) => movesPerConversation.mean.toFixed(2) },
  { head: 'top %', width: 6, cell: ({ largestShare }) => (100 * largestShare.mean).toFixed(0) },
  { head: 'small %', width: 8, cell: ({ smallShare }) => (100 * smallShare.mean).toFixed(0) },
];
const NAME_WIDTH = 18;

/** What the columns are, for whoever reads the table alone. */
export const LEGEND = [
  'p50, p95, p99: seconds from the beginning of a turn to its first token, of turns that were answered.',
  "failed: of the clients' requests, repeated ones too. > 10 s or lost: of the turns.",
  'attempts: of the router, a request. moves: turns on another model than the one before, a conversation.',
  "top: the largest part of a minute's new conversations that one model got. small: answers of models with one or two instances.",
  'In brackets: the span over the seeds.',
].join('\n');

export function headOf(title: string): string {
  return `\n${title}\n${' '.repeat(NAME_WIDTH)}${COLUMNS.map(({ head, width }) => head.padStart(width)).join('')}`;
}

export function lineOf(policy: string, summary: Summary): string {
  return policy.padEnd(NAME_WIDTH) + COLUMNS.map(({ cell, width }) => cell(summary).padStart(width)).join('');
}

/**
 * Writes table, chart and figures, under the time of the start and as `latest`.
 *
 * @returns the path of the table, and of the chart
 */
export async function writeReport(folder: string, report: Report): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const files = {
    txt: tableOf(report),
    svg: chartOf(report.rows),
    json: `${JSON.stringify(report, null, 2)}\n`,
  };
  // Colons are not for file names everywhere.
  const stamp = report.startedAt.replaceAll(':', '-');
  const path = (name: string, ending: string) => join(folder, `${name}.${ending}`);
  for (const name of [stamp, 'latest']) {
    for (const [ending, text] of Object.entries(files)) await writeFile(path(name, ending), text);
  }
  return [path('latest', 'txt'), path('latest', 'svg')];
}

function tableOf({ startedAt, seeds, minutes, settings, rows }: Report): string {
  const blocks = rows.map(({ scenario, policies }) =>
    [headOf(scenario), ...Object.entries(policies).map(([name, summary]) => lineOf(name, summary))].join(
      '\n',
    ),
  );
  const set = Object.entries(settings).map(([name, value]) => ` ${name}=${value}`);
  return `${startedAt}, seeds ${seeds.join(', ')}, ${minutes} min${set.join('')}\n${blocks.join('\n')}\n\n${LEGEND}\n`;
}

/** The mean and the span, each with so many digits. */
function spanned({ mean, least, most }: Figure, digits: number, times = 1): string {
  const [middle, low, high] = [mean, least, most].map((value) => (times * value).toFixed(digits));
  return low === high ? `${middle}` : `${middle} [${low}–${high}]`;
}
