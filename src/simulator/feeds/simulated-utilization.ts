import { loadWave, meanOf } from './load-wave.js';
import { CATALOGS, type ModelTrait, OTHER_CHUTES } from './model-table.js';
import { fraction, uuid } from '../seeded.js';
import { chuteIdOf } from './simulated-models.js';

/** A row of `GET /chutes/utilization`. */
export interface UtilizationRow {
  chute_id: string;
  name: string;
  /** ISO 8601 without a zone, to the microsecond. */
  timestamp: string;
  utilization_current: number;
  utilization_5m: number;
  utilization_15m: number;
  utilization_1h: number;
  rate_limit_ratio_5m: number;
  rate_limit_ratio_15m: number;
  rate_limit_ratio_1h: number;
  total_requests_5m: number;
  total_requests_15m: number;
  total_requests_1h: number;
  completed_requests_5m: number;
  completed_requests_15m: number;
  completed_requests_1h: number;
  rate_limited_requests_5m: number;
  rate_limited_requests_15m: number;
  rate_limited_requests_1h: number;
  instance_count: number;
  action_taken: string;
  target_count: number;
  effective_multiplier: number | null;
  total_instance_count: number;
  active_instance_count: number;
  scalable: boolean;
  scale_allowance: number;
  avg_busy_ratio: number;
  total_invocations: number;
  total_rate_limit_errors: number;
}

/** How a chute is doing; `absent` has no row at all. */
type Condition = 'busy' | 'idle' | 'overloaded' | 'absent';

export const PRIVATE_NAME = '[private chute]';
const PRIVATE_CHUTES = 440;

/**
 * The utilization of a seed at a tick; one tick stands for one minute of the real feed.
 *
 * About 500 rows, most of them private. Of the models every twelfth is idle, every twelfth overloaded
 * (utilization over 1), every twelfth without a row, whatever the seed. External models have none.
 *
 * @param timestamp as the rows' `timestamp`
 */
export function simulatedUtilization(
  seed: number,
  tick: number,
  timestamp: string,
  traits: readonly ModelTrait[] = CATALOGS['2026-02'].models,
): UtilizationRow[] {
  const models = traits
    .map(({ id, external }, index) => ({ id, condition: external ? 'absent' : conditionOf(index + seed) }))
    .filter(({ condition }) => condition !== 'absent')
    .map(({ id, condition }) => rowOf({ name: id, key: `${seed} ${id}`, condition, tick, timestamp }));
  const others = OTHER_CHUTES.map((name) =>
    rowOf({ name, key: `${seed} ${name}`, condition: 'busy', tick, timestamp }),
  );
  const hidden = Array.from({ length: PRIVATE_CHUTES }, (_, index) => {
    const key = `${seed} private ${index}`;
    const condition = fraction(`asleep ${key}`) < 0.4 ? 'idle' : 'busy';
    return { ...rowOf({ name: PRIVATE_NAME, key, condition, tick, timestamp }), chute_id: uuid(key) };
  });
  return [...models, ...others, ...hidden];
}

/** One complete row, for tests that make up their own feed; `fields` go over the derived ones. */
export function utilizationRow(name: string, fields: Partial<UtilizationRow> = {}): UtilizationRow {
  const row = rowOf({ name, key: name, condition: 'busy', tick: 0, timestamp: '2026-01-01T00:00:00.000000' });
  return { ...row, ...fields };
}

function conditionOf(place: number): Condition {
  const places: Readonly<Record<number, Condition>> = { 3: 'idle', 5: 'overloaded', 7: 'absent' };
  return places[((place % 12) + 12) % 12] ?? 'busy';
}

interface RowSource {
  name: string;
  key: string;
  condition: Condition;
  tick: number;
  timestamp: string;
}

function rowOf({ name, key, condition, tick, timestamp }: RowSource): UtilizationRow {
  const size = name === PRIVATE_NAME ? 3 : 16;
  const instances = condition === 'idle' ? 0 : 1 + Math.floor(fraction(`instances ${key}`) ** 3 * size);
  const middle = condition === 'overloaded' ? 1.3 : 0.1 + 0.55 * fraction(`middle ${key}`);
  const load = instances === 0 ? () => 0 : loadWave(key, middle, tick);
  const current = load(0);
  const used = { m5: meanOf(load, 5), m15: meanOf(load, 15), h1: meanOf(load, 60) };
  const limited = { m5: limitedAt(used.m5), m15: limitedAt(used.m15), h1: limitedAt(used.h1) };
  const perMinute = instances * (2 + fraction(`traffic ${key}`) * 60);
  const total = { m5: perMinute * 5 * used.m5, m15: perMinute * 15 * used.m15, h1: perMinute * 60 * used.h1 };
  const scalable = instances > 0 && (current > 0.7 || fraction(`scalable ${key}`) < 0.2);
  const allowance = scalable ? 1 + Math.floor(fraction(`allowance ${key}`) * 9) : 0;
  return {
    chute_id: chuteIdOf(name),
    name,
    timestamp,
    utilization_current: current,
    utilization_5m: used.m5,
    utilization_15m: used.m15,
    utilization_1h: used.h1,
    rate_limit_ratio_5m: limited.m5,
    rate_limit_ratio_15m: limited.m15,
    rate_limit_ratio_1h: limited.h1,
    total_requests_5m: total.m5,
    total_requests_15m: total.m15,
    total_requests_1h: total.h1,
    completed_requests_5m: total.m5 * (1 - limited.m5),
    completed_requests_15m: total.m15 * (1 - limited.m15),
    completed_requests_1h: total.h1 * (1 - limited.h1),
    rate_limited_requests_5m: total.m5 * limited.m5,
    rate_limited_requests_15m: total.m15 * limited.m15,
    rate_limited_requests_1h: total.h1 * limited.h1,
    instance_count: instances,
    action_taken: current > 0.9 ? 'scale_up_candidate' : 'no_action',
    target_count: instances + Math.min(allowance, 3),
    effective_multiplier: fraction(`null ${key}`) < 0.03 ? null : 11 * fraction(`multiplier ${key}`),
    total_instance_count: instances + (scalable ? 1 : 0),
    active_instance_count: instances,
    scalable,
    scale_allowance: allowance,
    avg_busy_ratio: used.h1,
    total_invocations: total.h1,
    total_rate_limit_errors: total.h1 * limited.h1,
  };
}

function limitedAt(utilization: number): number {
  return Math.min(1, Math.max(0, (utilization - 0.75) / 4));
}
