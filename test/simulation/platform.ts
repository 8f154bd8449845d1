import type { UtilizationRow } from '../../src/catalog/utilization-feed.ts';
import { Random } from '../support/random.ts';
import type { Agenda, Timed } from './agenda.ts';
import { BACKGROUND, FEED, OUTAGES, type OutageKind, SCALING } from './assumptions.ts';
import { exponential, normal } from './distributions.ts';
import type { Fleet } from './fleet.ts';
import { SimulatedModel } from './simulated-model.ts';

const HOUR_MS = 3_600_000;
const SICKNESSES = ['hang', 'reset', 'error'] as const;

/** A row of the feed, less what nobody reads. */
export type FeedRow = UtilizationRow;

/** Who reads the feed. */
export interface FeedReader {
  /** @returns the best model by it: others' routers choose it, too. */
  onFeed(rows: readonly FeedRow[]): string | undefined;
}

/** One thing that happens once. */
class Happening implements Timed {
  generation = 0;
  readonly onTime: (nowMs: number) => void;

  constructor(onTime: (nowMs: number) => void) {
    this.onTime = onTime;
  }
}

/** Chutes as a whole: its models, all others' requests, its scaling, its outages and its feed. */
export class Platform implements Timed {
  generation = 0;
  readonly models: readonly SimulatedModel[];
  readonly byId: ReadonlyMap<string, SimulatedModel>;
  /** The feed's best model. */
  first: string | undefined;

  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #noise: number[];
  readonly #starting = new Map<SimulatedModel, number>();
  readonly #phase: number;
  #rushedOn: SimulatedModel | undefined;
  readonly #reader: FeedReader;
  /** By its own rate in a millisecond, less those who follow the feed. */
  readonly #ownRates: readonly number[];
  readonly #followers: number;

  /** @param seed decides all that happens here, whatever our requests do */
  constructor(fleet: Fleet, agenda: Agenda, seed: number, reader: FeedReader) {
    this.#agenda = agenda;
    this.#random = Random.of(seed, 1);
    this.#phase = this.#random.next();
    this.#noise = fleet.map(() => BACKGROUND.noise * normal(this.#random));
    this.#reader = reader;
    this.models = fleet.map((facts, n) => new SimulatedModel(facts, agenda, Random.of(seed, 100 + n)));
    this.byId = new Map(this.models.map((model) => [model.id, model]));
    const rates = fleet.map(({ requestsPerMinute }) => requestsPerMinute / 60_000);
    this.#followers = BACKGROUND.followers * rates.reduce((sum, rate) => sum + rate, 0);
    this.first = reader.onFeed(this.#rows());
    // The capture's rate of its first model has them in it.
    this.#ownRates = rates.map((rate, n) =>
      fleet[n]?.id === this.first ? Math.max(0, rate - this.#followers) : rate,
    );
    this.#setBackground(0);
    agenda.add(FEED.everyMs, this);
  }

  /** A minute is over. */
  onTime(nowMs: number): void {
    for (const model of this.models) {
      model.closeMinute(nowMs);
      this.#scale(model);
    }
    const rows = this.#rows();
    this.#in(FEED.delayMs, () => (this.first = this.#reader.onFeed(rows)));
    this.#setBackground(nowMs);
    this.#agenda.add(nowMs + FEED.everyMs, this);
  }

  /** Outages as they come by themselves, from now on until then. */
  scheduleOutages(untilMs: number): void {
    const meanMs = HOUR_MS / (OUTAGES.perModelAndHour * this.models.length);
    for (
      let atMs = exponential(this.#random, meanMs);
      atMs < untilMs;
      atMs += exponential(this.#random, meanMs)
    ) {
      const model = this.#random.pick(this.models);
      const { kind } = this.#random.weighed(OUTAGES.kinds);
      const lengthMs = exponential(this.#random, OUTAGES.meanMs);
      this.at(atMs, () => this.breakDown(model, kind, lengthMs));
    }
  }

  /** A model fails from now on for so long. */
  breakDown(model: SimulatedModel, kind: OutageKind, lengthMs: number): void {
    if (model.outage) return;
    const sickness = kind === 'sick' ? this.#random.pick(SICKNESSES) : kind === 'deaf' ? 'hang' : kind;
    model.fail({ kind, sickness }, this.#agenda.nowMs);
    if (kind !== 'sick' && lengthMs > OUTAGES.noticedAfterMs) {
      this.#in(OUTAGES.noticedAfterMs, () => (model.isListed = false));
    }
    this.at(this.#agenda.nowMs + lengthMs, (nowMs) => {
      model.recover(nowMs);
      model.isListed = true;
    });
  }

  /** Others come to a model in such numbers, for so long, that it has no room. */
  rush(model: SimulatedModel, lengthMs: number): void {
    this.#rushedOn = model;
    model.setBackground(model.rushPerMs);
    this.#in(lengthMs, () => (this.#rushedOn = undefined));
  }

  /** The first tokens of all models take so many times as long, for so long. */
  slowDown(times: number, lengthMs: number): void {
    for (const model of this.models) model.slowness = times;
    this.#in(lengthMs, () => {
      for (const model of this.models) model.slowness = 1;
    });
  }

  at(atMs: number, happens: (nowMs: number) => void): void {
    this.#agenda.add(atMs, new Happening(happens));
  }

  #in(ms: number, happens: () => void): void {
    this.at(this.#agenda.nowMs + ms, happens);
  }

  #scale(model: SimulatedModel): void {
    const starting = this.#starting.get(model) ?? 0;
    if (model.history.use(5) > SCALING.use && starting === 0) this.#start(model);
    if (model.instances > 1 && this.#random.chance(FEED.everyMs / SCALING.lossMs)) {
      model.scale(-1, this.#agenda.nowMs);
      this.#start(model);
    }
  }

  #start(model: SimulatedModel): void {
    this.#starting.set(model, (this.#starting.get(model) ?? 0) + 1);
    const [least, most] = SCALING.startMs;
    this.#in(least + (most - least) * this.#random.next(), () => {
      this.#starting.set(model, (this.#starting.get(model) ?? 0) - 1);
      model.scale(1, this.#agenda.nowMs);
    });
  }

  #setBackground(nowMs: number): void {
    const { memory, noise, wave, dayMs } = BACKGROUND;
    const day = (ms: number) => 1 + wave * Math.sin(2 * Math.PI * (this.#phase + ms / dayMs));
    const ofDay = day(nowMs) / day(0);
    for (const [n, model] of this.models.entries()) {
      const off =
        memory * (this.#noise[n] as number) + noise * Math.sqrt(1 - memory ** 2) * normal(this.#random);
      this.#noise[n] = off;
      const follows = model.id === this.first ? this.#followers : 0;
      const rate = (this.#ownRates[n] as number) + follows;
      model.setBackground(
        model === this.#rushedOn ? model.rushPerMs : rate * ofDay * Math.exp(off - noise ** 2 / 2),
      );
    }
  }

  #rows(): readonly FeedRow[] {
    return this.models.map(({ id, history, instances, isListed, startable, use }) => ({
      name: id,
      active_instance_count: isListed ? instances : 0,
      scalable: startable > 0,
      scale_allowance: startable,
      utilization_current: use,
      utilization_5m: history.use(5),
      utilization_15m: history.use(15),
      utilization_1h: history.use(60),
      rate_limit_ratio_5m: history.refusedShare(5),
      rate_limit_ratio_15m: history.refusedShare(15),
      rate_limit_ratio_1h: history.refusedShare(60),
    }));
  }
}
