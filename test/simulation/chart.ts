import type { Row } from './report.ts';
import type { Figure, Summary } from './summary.ts';

/** A panel of the chart: one figure on a logarithmic scale. What is below its least is drawn there. */
interface Panel {
  readonly title: string;
  readonly left: number;
  readonly ticks: readonly number[];
  readonly unit: string;
  readonly figure: (summary: Summary) => Figure;
  readonly times: number;
}

const LABELS = 300;
const PANEL = 290;
const GAP = 70;
const TOP = 104;
const ROW = 62;
const LINE = 12;

const PANELS: readonly Panel[] = [
  {
    title: 'First token, 95th percentile',
    left: LABELS,
    ticks: [0.5, 1, 2, 5, 10, 30, 100],
    unit: ' s',
    figure: ({ p95S }) => p95S,
    times: 1,
  },
  {
    title: 'Turns over 10 s, or lost',
    left: LABELS + PANEL + GAP,
    ticks: [0.01, 0.1, 1, 10, 100],
    unit: ' %',
    figure: ({ slowOrLostShare }) => slowOrLostShare,
    times: 100,
  },
];

const WIDTH = LABELS + PANELS.length * (PANEL + GAP);

const STYLE = `
  svg { background: #fff; font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 } .head { font-weight: 600 } .quiet { fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .span { stroke-width: 2.5; stroke-linecap: round }
  .p0 { fill: #b35900; stroke: #b35900 } .p1 { fill: #0969da; stroke: #0969da }
  .p2 { fill: #1a7f37; stroke: #1a7f37 } .p3 { fill: #8b949e; stroke: #8b949e }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #30363d }
    .p0 { fill: #f0883e; stroke: #f0883e } .p1 { fill: #58a6ff; stroke: #58a6ff }
    .p2 { fill: #3fb950; stroke: #3fb950 } .p3 { fill: #6e7681; stroke: #6e7681 }
  }`;

/** An SVG for light and dark: a row a scenario, a dot a policy, a line over the span of the seeds. */
export function chartOf(rows: readonly Row[]): string {
  const height = TOP + rows.length * ROW + 34;
  const policies = [...new Set(rows.flatMap(({ policies: its }) => Object.keys(its)))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    '<title>Policies of the router on a simulated fleet</title>',
    `<style>${STYLE}\n</style>`,
    text(16, 28, 'Policies of the router on a simulated fleet', 'title'),
    ...legend(policies),
    ...PANELS.flatMap((panel) => axis(panel, rows.length)),
    ...rows.flatMap((row, n) => rowOf(row, policies, TOP + n * ROW)),
    '</svg>\n',
  ].join('\n');
}

function legend(policies: readonly string[]): string[] {
  return policies.flatMap((policy, n) => {
    const x = 16 + n * 150;
    return [`<circle class="p${n}" cx="${x + 4}" cy="48" r="4"/>`, text(x + 14, 52, policy)];
  });
}

function axis(panel: Panel, rows: number): string[] {
  const bottom = TOP + rows * ROW;
  return [
    text(panel.left, TOP - 22, panel.title, 'head'),
    ...panel.ticks.flatMap((tick) => {
      const x = placeOf(panel, tick);
      return [
        `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 12}" y2="${bottom}"/>`,
        text(x, bottom + 16, `${tick === panel.ticks[0] ? '≤ ' : ''}${tick}${panel.unit}`, 'quiet', 'middle'),
      ];
    }),
  ];
}

function rowOf({ scenario, policies: its }: Row, policies: readonly string[], top: number): string[] {
  return [
    `<line class="grid" x1="16" x2="${WIDTH - 16}" y1="${top - 4}" y2="${top - 4}"/>`,
    ...wrapped(scenario).map((line, n) => text(16, top + 18 + n * 16, line)),
    ...PANELS.flatMap((panel) =>
      policies.flatMap((policy, n) => {
        const summary = Object.entries(its).find(([name]) => name === policy)?.[1];
        if (!summary) return [];
        const { mean, least, most } = panel.figure(summary);
        const [x, from, to] = [mean, least, most].map((value) => placeOf(panel, panel.times * value));
        const y = top + 10 + n * LINE;
        return [
          `<line class="span p${n}" x1="${from}" x2="${to}" y1="${y}" y2="${y}"/>`,
          `<circle class="p${n}" cx="${x}" cy="${y}" r="4"><title>${policy}: ${(panel.times * mean).toFixed(2)}${panel.unit}</title></circle>`,
        ];
      }),
    ),
  ];
}

function placeOf({ left, ticks }: Panel, value: number): number {
  const [least, most] = [ticks[0] as number, ticks.at(-1) as number];
  const within = Math.min(most, Math.max(least, value));
  return Math.round(left + (PANEL * Math.log(within / least)) / Math.log(most / least));
}

/** In two lines, at the first comma. */
function wrapped(title: string): string[] {
  const at = title.indexOf(', ');
  return at === -1 ? [title] : [title.slice(0, at), title.slice(at + 2)];
}

function text(x: number, y: number, content: string, kind?: string, anchor?: string): string {
  const attributes = `${kind ? ` class="${kind}"` : ''}${anchor ? ` text-anchor="${anchor}"` : ''}`;
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}"${attributes}>${escaped}</text>`;
}
