import type { Ending, RequestRecord } from '../request/request-record.js';

/** How a request went, when all of it is known. Times are monotonic milliseconds. */
export interface Finished {
  readonly level: 'info' | 'debug';
  /** The moment of the line, in Unix milliseconds. */
  readonly timeMs: number;
  readonly endedAtMs: number;
  readonly status: number;
  readonly ending: Ending;
  readonly bytesOut: number;
}

/** What the line says of a request beside how it went. */
export type Logged = Pick<
  RequestRecord,
  | 'id'
  | 'traceId'
  | 'mode'
  | 'alias'
  | 'sort'
  | 'needs'
  | 'isDryRun'
  | 'candidates'
  | 'model'
  | 'isPinned'
  | 'attempts'
  | 'failovers'
  | 'startedAtMs'
  | 'firstByteAtMs'
  | 'bytesIn'
>;

/**
 * The log's line about one request, in pino's own format. Pino puts a line together from some sixty pieces, one after the other,
 * and `JSON.stringify` has to look at each text for what it must escape; here only three come from outside.
 */
export function requestLine(record: Logged, finished: Finished): string {
  const { startedAtMs, firstByteAtMs, traceId, model, failovers } = record;
  const trace = traceId === undefined ? '' : `"trace_id":"${traceId}",`;
  const { alias, sort, needs } = record;
  const chosen = alias === undefined ? '' : `"alias":${JSON.stringify(alias)},"sort":"${sort}",`;
  const needed = needs.length === 0 ? '' : `"${needs.join('","')}"`;
  const dryRun = record.isDryRun ? '"dry_run":true,' : '';
  const reasons = failovers.length === 0 ? '' : `"${failovers.join('","')}"`;
  const ttfbMs = firstByteAtMs === undefined ? null : round(firstByteAtMs - startedAtMs);
  const durationMs = round(finished.endedAtMs - startedAtMs);
  return (
    `{"level":"${finished.level}","time":"${isoTime(finished.timeMs)}","req_id":${JSON.stringify(record.id)},${trace}` +
    `"mode":"${record.mode}",${chosen}"needs":[${needed}],${dryRun}"candidates":${record.candidates},"model":${JSON.stringify(model ?? null)},` +
    `"pinned":${record.isPinned},"attempts":${record.attempts},"failovers":[${reasons}],"status":${finished.status},"ending":"${finished.ending}",` +
    `"ttfb_ms":${ttfbMs},"duration_ms":${durationMs},"bytes_in":${record.bytesIn},"bytes_out":${finished.bytesOut},` +
    `"msg":"request"}\n`
  );
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

const clock = { second: NaN, text: '' };

/** As `Date` writes it, but the date is worked out once a second. */
function isoTime(ms: number): string {
  const second = Math.floor(ms / 1_000);
  if (second !== clock.second) {
    clock.second = second;
    clock.text = new Date(second * 1_000).toISOString().slice(0, -4);
  }
  return `${clock.text}${String(ms - second * 1_000).padStart(3, '0')}Z`;
}
