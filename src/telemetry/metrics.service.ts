// Long: one instrument after the other, and nothing else.
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { FailureReason } from '../openai/failure-reason.js';
import { ABORT_PHASES, type AbortPhase, type Mode } from '../request/request-record.js';
import { type Refusal, REFUSALS } from '../openai/refusal-kind.js';
import { SHED_REASONS, type ShedReason } from '../openai/shed-reason.js';
import { OneLabelHistogram } from './one-label-histogram.js';
import { LabelCounts } from './label-counts.js';

const PREFIX = 'chutes_autopilot_';
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const OVERHEAD_SECONDS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25];

const STICKY_LOOKUPS = ['hit', 'miss', 'ineligible', 'error'] as const;
const FEEDS = ['models', 'utilization', 'stats'] as const;
const PROBE_OUTCOMES = ['ok', 'failed'] as const;
const REFRESH_OUTCOMES = ['ok', 'empty', 'error'] as const;

export type StickyLookup = (typeof STICKY_LOOKUPS)[number];
type FeedLabel = (typeof FEEDS)[number];
type RefreshOutcome = (typeof REFRESH_OUTCOMES)[number];

/** Every metric of the router, in a registry of its own. */
@Injectable()
export class MetricsService {
  readonly registry = new Registry();

  private active = 0;
  private readonly requests = this.tallied<number>('requests_total', 'Finished requests.', ['status']);
  private readonly selections = this.tallied<string, number>('selection_total', 'Relayed answers.', [
    'model',
    'status',
  ]);
  private readonly failovers = this.counter('failover_reason_total', 'Failed attempts.', ['reason']);
  private readonly refusals = this.counter(
    'refusals_total',
    'Refusals whose meaning is known, while another model could have been asked.',
    ['kind'],
  );
  private readonly exclusions = this.counter(
    'excluded_total',
    'Models that could not have answered a request, or that an alias leaves out.',
    ['reason'],
  );
  private readonly cooldowns = this.counter('cooldowns_total', 'Cooldowns of models that failed.', ['model']);
  private readonly probes = this.counter('probes_total', 'Ends of the first attempts after a cooldown.', [
    'outcome',
  ]);
  private readonly duration = this.histogram(
    'request_duration_seconds',
    'From request to last byte.',
    SECONDS,
  );
  private readonly ttfb = this.histogram(
    'time_to_first_byte_seconds',
    'From request to first byte.',
    SECONDS,
  );
  private readonly overhead = this.histogram(
    'overhead_seconds',
    "The router's own time from the last byte of the request to the first attempt.",
    OVERHEAD_SECONDS,
  );
  private readonly refreshes = this.counter('feed_refresh_total', 'Feed refreshes.', ['feed', 'outcome']);
  private readonly skippedRows = this.counter('feed_rows_skipped_total', 'Unusable feed rows.', ['feed']);
  private readonly stickyLookups = this.tallied<StickyLookup>(
    'sticky_lookups_total',
    'Looked-up pins.',
    ['outcome'],
    STICKY_LOOKUPS.map((outcome) => ({ outcome })),
  );
  private readonly stickyWriteErrors = this.counter('sticky_write_errors_total', 'Pins not set or dropped.');
  private readonly clientAborts = this.counter('client_aborts_total', 'Clients that left.', ['phase']);
  private readonly refusedConnections = this.counter(
    'connections_refused_total',
    'Connections beyond the limit.',
    [],
  );
  private readonly sheds = this.counter('requests_shed_total', 'Requests refused for want of room.', [
    'reason',
  ]);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.gaugeAtScrape('requests_active', 'Requests that are running.', () => this.active);
    this.startAtZero();
  }

  requestStarted(): void {
    this.active += 1;
  }

  requestFinished(mode: Mode, status: number, durationMs: number): void {
    this.active -= 1;
    this.requests.add(status);
    this.duration.observe(mode, durationMs / 1_000);
  }

  firstByteSent(mode: Mode, ms: number): void {
    this.ttfb.observe(mode, ms / 1_000);
  }

  firstAttemptStarted(mode: Mode, overheadMs: number): void {
    this.overhead.observe(mode, overheadMs / 1_000);
  }

  answerSelected(model: string, status: number): void {
    this.selections.add(model, status);
  }

  attemptFailed(reason: FailureReason): void {
    this.failovers.inc({ reason });
  }

  refused(kind: Refusal): void {
    this.refusals.inc({ kind });
  }

  /** @param counts of models, by the reason that left them out */
  modelsExcluded(counts: readonly (readonly [reason: string, models: number])[]): void {
    for (const [reason, models] of counts) this.exclusions.inc({ reason }, models);
  }

  cooldownBegun(model: string): void {
    this.cooldowns.inc({ model });
  }

  probeEnded(outcome: (typeof PROBE_OUTCOMES)[number]): void {
    this.probes.inc({ outcome });
  }

  clientLeft(phase: AbortPhase): void {
    this.clientAborts.inc({ phase });
  }

  connectionRefused(): void {
    this.refusedConnections.inc();
  }

  requestShed(reason: ShedReason): void {
    this.sheds.inc({ reason });
  }

  stickyLookedUp(outcome: StickyLookup): void {
    this.stickyLookups.add(outcome);
  }

  stickyWriteFailed(): void {
    this.stickyWriteErrors.inc();
  }

  feedRefreshed(feed: FeedLabel, outcome: RefreshOutcome): void {
    this.refreshes.inc({ feed, outcome });
  }

  feedRowsSkipped(feed: FeedLabel, rows: number): void {
    this.skippedRows.inc({ feed }, rows);
  }

  /** A gauge whose value is asked for at each scrape. */
  gaugeAtScrape(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      // Without it, the gauge would go to the registry that all routers of a process share.
      registers: [this.registry],
      collect: () => gauge.set(value()),
    });
  }

  /** Prometheus sees no increase in a series that begins with 1. */
  private startAtZero(): void {
    for (const phase of ABORT_PHASES) this.clientAborts.inc({ phase }, 0);
    for (const kind of REFUSALS) this.refusals.inc({ kind }, 0);
    for (const reason of SHED_REASONS) this.sheds.inc({ reason }, 0);
    for (const outcome of PROBE_OUTCOMES) this.probes.inc({ outcome }, 0);
    for (const feed of FEEDS) {
      this.skippedRows.inc({ feed }, 0);
      for (const outcome of REFRESH_OUTCOMES) this.refreshes.inc({ feed, outcome }, 0);
    }
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
  }

  /** A counter for what counts with each request. @param zeros series that are there from the beginning. */
  private tallied<A extends string | number, B extends string | number = ''>(
    name: string,
    help: string,
    labelNames: string[],
    zeros: readonly Readonly<Record<string, A>>[] = [],
  ): LabelCounts<A, B> {
    const tally = new LabelCounts<A, B>(labelNames);
    const counter: Counter = new Counter({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => tally.drain((labels, count) => counter.inc(labels, count)),
    });
    for (const labels of zeros) counter.inc(labels, 0);
    return tally;
  }

  private histogram(name: string, help: string, bounds: readonly number[]): OneLabelHistogram<Mode> {
    const histogram = new OneLabelHistogram<Mode>(PREFIX + name, help, 'mode', bounds);
    // The types allow prom-client's own metrics alone; the registry asks for nothing but what this one has.
    this.registry.registerMetric(histogram as object as Metric);
    return histogram;
  }
}
