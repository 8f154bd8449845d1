import { gzipSync } from 'node:zlib';
import type { FeedDocument } from '../faults/feed-misbehaviour.js';
import type { Catalog } from './model-table.js';
import { type ModelEntry, simulatedModels } from './simulated-models.js';
import { simulatedStatistics, statisticsFor } from './simulated-statistics.js';
import { simulatedUtilization } from './simulated-utilization.js';

/** A feed's document with its bytes, made once for as long as it does not change. */
export class ServedDocument implements FeedDocument {
  readonly json: string;
  readonly bytes: Buffer;
  #gzipped: Buffer | undefined;

  constructor(
    readonly rows: readonly unknown[],
    readonly wrap: (rows: readonly unknown[]) => unknown,
  ) {
    this.json = JSON.stringify(wrap(rows));
    this.bytes = Buffer.from(this.json);
  }

  get gzipped(): Buffer {
    this.#gzipped ??= gzipSync(this.bytes);
    return this.#gzipped;
  }
}

/** The feeds: made from a seed, moving with the time, or given by a test. */
export class Feeds {
  readonly #startedAtMs = performance.now();
  #extraTicks = 0;
  #models: ServedDocument | undefined;
  #byId = new Map<string, ModelEntry>();
  #givenRows: readonly unknown[] | undefined;
  #givenStatistics: readonly unknown[] | undefined;
  #rows: { tick: number; document: ServedDocument } | undefined;
  #idle: ReadonlySet<string> | undefined;

  /** @param simModels entries that end the seed's model list and have no utilization */
  constructor(
    private readonly seed: number,
    private readonly tickMs: number,
    private readonly catalog: Catalog,
    private readonly simModels: readonly ModelEntry[],
  ) {}

  get tick(): number {
    return this.#extraTicks + Math.floor((performance.now() - this.#startedAtMs) / this.tickMs);
  }

  advance(ticks: number): void {
    this.#extraTicks += ticks;
  }

  get models(): ServedDocument {
    return (
      this.#models ??
      this.#setModels([...simulatedModels(this.seed, secondsNow(), this.catalog), ...this.simModels])
    );
  }

  get utilization(): ServedDocument {
    const tick = this.#givenRows === undefined ? this.tick : 0;
    if (this.#rows?.tick !== tick) {
      const rows =
        this.#givenRows ?? simulatedUtilization(this.seed, tick, timestampNow(), this.catalog.models);
      this.#rows = { tick, document: new ServedDocument(rows, (entries) => entries) };
      this.#idle = undefined;
    }
    return this.#rows.document;
  }

  /** Replaces the model list; undefined brings the seed's back. */
  giveModels(entries: readonly unknown[] | undefined): void {
    this.#models = undefined;
    if (entries !== undefined) {
      this.#setModels(entries);
    }
  }

  /** Replaces the rows; undefined brings the seed's back. */
  giveUtilization(rows: readonly unknown[] | undefined): void {
    this.#givenRows = rows;
    this.#rows = undefined;
  }

  /** The rows that a query asks for; without one, of the last 14 days. */
  statisticsFor(query = new URLSearchParams()): ServedDocument {
    const rows = this.#givenStatistics ?? simulatedStatistics(this.seed, Date.now(), this.catalog.models);
    return new ServedDocument(statisticsFor(rows, query), (entries) => entries);
  }

  /** Replaces the rows; undefined brings the seed's back. */
  giveStatistics(rows: readonly unknown[] | undefined): void {
    this.#givenStatistics = rows;
  }

  /** The entry of a model id, or of the id less one `:suffix`, or of the first known one of a comma list. */
  find(model: string): ModelEntry | undefined {
    void this.models;
    for (const item of model.split(',')) {
      const id = item.trim();
      const entry = this.#byId.get(id) ?? this.#byId.get(id.replace(/:[^:]*$/, ''));
      if (entry !== undefined) {
        return entry;
      }
    }
    return undefined;
  }

  /** The entry of a chute id or a name. */
  findChute(idOrName: string): ModelEntry | undefined {
    void this.models;
    return this.#byId.get(idOrName) ?? [...this.#byId.values()].find(({ chute_id: id }) => id === idOrName);
  }

  /** The ids of the models that run in a trusted execution environment. */
  get confidential(): readonly string[] {
    void this.models;
    return [...this.#byId.values()]
      .filter((entry) => entry.confidential_compute === true)
      .map(({ id }) => id);
  }

  /** Whether the utilization has a row of this model that says no instance is active. */
  isIdle(model: string): boolean {
    const { rows } = this.utilization;
    this.#idle ??= new Set(rows.filter(isIdleRow).map(({ name }) => name));
    return this.#idle.has(model);
  }

  #setModels(entries: readonly unknown[]): ServedDocument {
    this.#byId = new Map(entries.filter(isEntry).map((entry) => [entry.id, entry]));
    this.#models = new ServedDocument(entries, (data) => ({ object: 'list', data }));
    return this.#models;
  }
}

function isEntry(value: unknown): value is ModelEntry {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

function isIdleRow(value: unknown): value is { name: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'active_instance_count' in value &&
    value.active_instance_count === 0 &&
    'name' in value &&
    typeof value.name === 'string'
  );
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}

function timestampNow(): string {
  return new Date().toISOString().replace('Z', '000');
}
