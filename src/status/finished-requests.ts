import type { ExclusionCounts, Mode, RequestRecord } from '../request/request-record.js';
import { type Finished, type Logged, requestLine } from '../telemetry/request-line.js';

/** What is kept of a finished request: the values of its log line, as they were. Written over by a later one. */
class Slot implements Logged, Finished {
  id = '';
  traceId: string | undefined;
  mode: Mode = 'none';
  alias: string | undefined;
  sort: string | undefined;
  needs: readonly string[] = [];
  isDryRun = false;
  candidates = 0;
  model: string | undefined;
  isPinned = false;
  excluded: ExclusionCounts = [];
  attempts = 0;
  failovers: Logged['failovers'] = [];
  startedAtMs = 0;
  firstByteAtMs: number | undefined;
  bytesIn = 0;
  level: Finished['level'] = 'info';
  timeMs = 0;
  endedAtMs = 0;
  status = 0;
  ending: Finished['ending'] = 'complete';
  bytesOut = 0;

  fill(record: RequestRecord, finished: Finished): void {
    this.id = record.id;
    this.traceId = record.traceId;
    this.mode = record.mode;
    this.alias = record.alias;
    this.sort = record.sort;
    this.needs = record.needs;
    this.isDryRun = record.isDryRun;
    this.candidates = record.candidates;
    this.model = record.model;
    this.isPinned = record.isPinned;
    this.excluded = record.excluded;
    this.attempts = record.attempts;
    this.failovers = record.failovers;
    this.startedAtMs = record.startedAtMs;
    this.firstByteAtMs = record.firstByteAtMs;
    this.bytesIn = record.bytesIn;
    this.timeMs = finished.timeMs;
    this.endedAtMs = finished.endedAtMs;
    this.status = finished.status;
    this.ending = finished.ending;
    this.bytesOut = finished.bytesOut;
  }
}

/** A finished request as `/autopilot/decisions` shows it: the fields of its log line, and why others were not asked. */
export interface FinishedDocument {
  /** The line's `req_id`. */
  readonly id: string;
  readonly excluded: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

/** The last so many finished requests. To keep one copies some values into a slot that is there already, and makes nothing. */
export class FinishedRequests {
  private readonly slots: readonly Slot[];
  private count = 0;

  constructor(size: number) {
    this.slots = Array.from({ length: size }, () => new Slot());
  }

  add(record: RequestRecord, finished: Finished): void {
    this.slot(this.count).fill(record, finished);
    this.count += 1;
  }

  /** Newest first. */
  documents(): readonly FinishedDocument[] {
    const kept = Math.min(this.count, this.slots.length);
    return Array.from({ length: kept }, (_, n) => documentOf(this.slot(this.count - 1 - n)));
  }

  /** @returns `undefined` while there is none. */
  newest(): FinishedDocument | undefined {
    return this.count === 0 ? undefined : documentOf(this.slot(this.count - 1));
  }

  private slot(n: number): Slot {
    return this.slots[n % this.slots.length] as Slot;
  }
}

/** By way of the line itself, so that it can say no more than the log does. */
function documentOf(slot: Slot): FinishedDocument {
  const {
    level: _level,
    msg: _msg,
    ...fields
  } = JSON.parse(requestLine(slot, slot)) as Record<string, unknown>;
  return { id: slot.id, ...fields, excluded: sumsOf(slot.excluded) };
}

function sumsOf(counts: ExclusionCounts): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [reason, models] of counts) sums.set(reason, (sums.get(reason) ?? 0) + models);
  return Object.fromEntries(sums);
}
