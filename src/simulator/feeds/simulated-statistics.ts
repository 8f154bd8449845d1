import { CATALOGS, type ModelTrait } from './model-table.js';
import { fraction, uuid } from '../seeded.js';
import { chuteIdOf } from './simulated-models.js';

/** A row of `GET /invocations/stats/llm`: a chute on a day. */
export interface StatisticsRow {
  readonly chute_id: string;
  readonly name: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly total_requests: number;
  readonly total_input_tokens: number;
  readonly total_output_tokens: number;
  /** Output tokens per second after the first; 0 is unknown. */
  readonly average_tps: number;
  /** Seconds to the first token; 0 is unknown. */
  readonly average_ttft: number;
}

const DAY_MS = 86_400_000;
const DAYS = 14;
const PRIVATE_CHUTES = 40;
const UNKNOWN = { average_tps: 0, average_ttft: 0 };

/**
 * The statistics of a seed, the newest day first. Every eighth model has no figures of today, whatever the seed.
 *
 * @param todayMs Unix milliseconds
 */
export function simulatedStatistics(
  seed: number,
  todayMs: number,
  traits: readonly ModelTrait[] = CATALOGS['2026-02'].models,
): readonly StatisticsRow[] {
  const chutes = [
    ...traits.map(({ id }) => ({ chuteId: chuteIdOf(id), name: id })),
    ...Array.from({ length: PRIVATE_CHUTES }, (_, n) => ({
      chuteId: uuid(`private ${seed} ${n}`),
      name: '[private]',
    })),
  ];
  return Array.from({ length: DAYS }, (_, ago) =>
    chutes.map(({ chuteId, name }, place) => {
      const isUnknown = ago === 0 && (place + seed) % 8 === 0;
      const fields = { chute_id: chuteId, date: dateOf(todayMs - ago * DAY_MS), ...(isUnknown && UNKNOWN) };
      return statisticsRow(name, fields, seed);
    }),
  ).flat();
}

/** One complete row, of today, for tests that make up their own feed; `fields` go over the derived ones. */
export function statisticsRow(name: string, fields: Partial<StatisticsRow> = {}, seed = 1): StatisticsRow {
  const { chute_id = chuteIdOf(name), date = dateOf(Date.now()) } = fields;
  const of = (figure: string) => fraction(`${figure} ${seed} ${chute_id} ${date}`);
  const requests = Math.floor(of('requests') * 20_000);
  return {
    chute_id,
    name,
    date,
    total_requests: requests,
    total_input_tokens: requests * 3_000,
    total_output_tokens: requests * 400,
    average_tps: Math.round((15 + of('tps') * 120) * 100) / 100,
    average_ttft: Math.round((0.4 + of('ttft') * 6) * 1_000) / 1_000,
    ...fields,
  };
}

/** What a server gives that knows `start_date`, `end_date` and `chute_id`. */
export function statisticsFor(rows: readonly unknown[], query: URLSearchParams): readonly unknown[] {
  const start = query.get('start_date') ?? '';
  const end = query.get('end_date') ?? '9999';
  const chute = query.get('chute_id');
  return rows.filter((row) => {
    const { date, chute_id: chuteId } = (row ?? {}) as Partial<StatisticsRow>;
    const isInTime = typeof date !== 'string' || (date >= start && date <= end);
    return isInTime && (chute === null || chuteId === chute);
  });
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
