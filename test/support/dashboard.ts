import { readFileSync } from 'node:fs';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: unknown;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  /** What "All" stands for, instead of all that can be chosen. */
  readonly allValue?: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

/** One query of a panel. */
export interface PanelQuery {
  /** Of the panel and, where it has several queries, of the query. */
  readonly title: string;
  readonly expression: string;
  readonly legend: string;
}

export function readDashboard(path: string): Dashboard {
  return JSON.parse(readFileSync(path, 'utf8')) as Dashboard;
}

/** Every query of every panel. */
export function queriesOf({ panels }: Dashboard): PanelQuery[] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, legendFormat }) => ({
      title: targets.length === 1 ? title : `${title}, ${refId}`,
      expression: expr,
      legend: legendFormat,
    })),
  );
}

/**
 * An expression as Grafana sends it while every instance is chosen.
 *
 * @param job the pattern of the jobs that are chosen
 */
export function withVariables(expression: string, job = 'chutes-autopilot'): string {
  return expression
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$job', job)
    .replaceAll('$instance', '.*');
}
