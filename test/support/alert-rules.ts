import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A case of `promtool test rules`. */
export interface RuleCase {
  readonly name: string;
  /** Selectors of the series that are made up for it. */
  readonly series: readonly string[];
  /** The alerts that fire at one of the times it looks. */
  readonly fires: readonly string[];
}

interface RulesFile {
  readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
}

interface CasesFile {
  readonly tests: readonly {
    readonly name: string;
    readonly input_series: readonly { readonly series: string }[] | null;
    readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
  }[];
}

export function readAlerts(path: string): AlertRule[] {
  const { groups } = parse(readFileSync(path, 'utf8')) as RulesFile;
  return groups.flatMap(({ rules }) => rules);
}

export function readRuleCases(path: string): RuleCase[] {
  const { tests } = parse(readFileSync(path, 'utf8')) as CasesFile;
  return tests.map(({ name, input_series: inputs, promql_expr_test: looks }) => ({
    name,
    series: (inputs ?? []).map(({ series }) => series),
    fires: looks.flatMap(({ exp_samples: samples }) =>
      samples.map(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1] ?? ''),
    ),
  }));
}
