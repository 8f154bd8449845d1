import { isObject } from './is-object.js';

const NUMBER_FIELDS = [
  'active_instance_count',
  'scale_allowance',
  'utilization_current',
  'utilization_5m',
  'utilization_15m',
  'utilization_1h',
  'rate_limit_ratio_5m',
  'rate_limit_ratio_15m',
  'rate_limit_ratio_1h',
] as const;

type NumberField = (typeof NUMBER_FIELDS)[number];

/** What the ranking reads of a row. Ratios are 1 at full use and can exceed it; a missing number is null. */
export type UtilizationRow = Readonly<Record<NumberField, number | null>> & {
  readonly name: string;
  readonly scalable: boolean;
};

/**
 * Reads the utilization feed. A row without a name, or with a number field that holds something other
 * than a finite number or null, is skipped and counted.
 *
 * @returns `undefined` if the root is not an array.
 */
export function readUtilization(root: unknown): { rows: UtilizationRow[]; skipped: number } | undefined {
  if (!Array.isArray(root)) return undefined;
  const rows = root.map(readRow).filter((row) => row !== undefined);
  return { rows, skipped: root.length - rows.length };
}

function readRow(row: unknown): UtilizationRow | undefined {
  if (!isObject(row) || typeof row['name'] !== 'string' || row['name'] === '') return undefined;
  const numbers = {} as Record<NumberField, number | null>;
  for (const field of NUMBER_FIELDS) {
    const value = row[field] ?? null;
    if (value !== null && !Number.isFinite(value)) return undefined;
    numbers[field] = value as number | null;
  }
  return { ...numbers, name: row['name'], scalable: row['scalable'] === true };
}
