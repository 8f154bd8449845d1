import type { UtilizationRow } from '../catalog/utilization-feed.js';

/** A row with the figures it is ordered by. Missing figures have fallen back as the ranking's spec says. */
export interface ScoredRow {
  readonly name: string;
  readonly score: number;
  readonly activeInstances: number;
  readonly utilization: number;
  readonly rateLimitRatio: number;
}

const MAX_COUNTED_SCALE_ALLOWANCE = 8;
const WORTH_OF_A_POSSIBLE_INSTANCE = 0.05;
const PENALTY_PER_LIMITED_INSTANCE = 2;

/** Free instances, plus a little for those that could be started, less those that turn callers away. */
export function scoreOf(row: UtilizationRow): ScoredRow {
  const n = row.active_instance_count ?? 0;
  const u5 = row.utilization_5m ?? row.utilization_current ?? 1;
  const u15 = row.utilization_15m ?? u5;
  const u1h = row.utilization_1h ?? u15;
  const r5 = row.rate_limit_ratio_5m ?? 0;
  const r15 = row.rate_limit_ratio_15m ?? r5;
  const r1h = row.rate_limit_ratio_1h ?? r15;

  const utilization = 0.6 * u5 + 0.3 * u15 + 0.1 * u1h;
  const limited = Math.max(r5, 0.5 * r15, 0.25 * r1h);
  const startable = row.scalable ? Math.min(row.scale_allowance ?? 0, MAX_COUNTED_SCALE_ALLOWANCE) : 0;
  const score =
    n * Math.max(0, 1 - utilization) +
    startable * WORTH_OF_A_POSSIBLE_INSTANCE -
    PENALTY_PER_LIMITED_INSTANCE * n * limited;

  return {
    name: row.name,
    // Absurdly large figures can overflow to NaN, which would have no place in any order.
    score: Number.isNaN(score) ? -Infinity : score,
    activeInstances: n,
    utilization: row.utilization_current ?? u5,
    rateLimitRatio: r5,
  };
}
