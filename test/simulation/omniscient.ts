import type { Asker, Chooser, Outcome, Plan } from './chooser.ts';
import type { SimulatedModel } from './simulated-model.ts';
import { firstTokenMs } from './walk.ts';

/** What a request that meets a failing instance is taken to lose. */
const SICKNESS_MS = 30_000;
const ATTEMPTS = 8;
/** Whoever knows how long it takes does not give up early, and what has failed since is given up. */
const PATIENCE = { times: 4, atLeastMs: 10_000 };

/**
 * Sees every model as it is at this moment, its queue and its outages, and the client's cache, and takes the one from which the first
 * token is to be expected soonest. No router can do that: it is the bound.
 */
export class Omniscient implements Chooser {
  readonly #models: readonly SimulatedModel[];

  constructor(models: readonly SimulatedModel[]) {
    this.#models = models;
  }

  plan(asker: Asker): Plan {
    return new OmniscientPlan(this.#models, asker);
  }
}

class OmniscientPlan implements Plan {
  readonly #models: readonly SimulatedModel[];
  readonly #asker: Asker;
  readonly #tried: SimulatedModel[] = [];
  #bestMs = 0;

  constructor(models: readonly SimulatedModel[], asker: Asker) {
    this.#models = models;
    this.#asker = asker;
  }

  modelAt(): string {
    let best = this.#models[0] as SimulatedModel;
    let least = Infinity;
    for (const model of this.#models) {
      const ms = this.#tried.includes(model) ? Infinity : this.#expectedMs(model);
      if (ms >= least) continue;
      best = model;
      least = ms;
    }
    this.#tried.push(best);
    this.#bestMs = least;
    return best.id;
  }

  patienceMs(): number {
    return Math.max(PATIENCE.atLeastMs, PATIENCE.times * this.#bestMs);
  }

  onFirstToken(): void {}

  onEnded(): void {}

  judge(n: number, _beganAtMs: number, _outcome: Outcome): boolean {
    return n + 1 < Math.min(ATTEMPTS, this.#models.length);
  }

  #expectedMs(model: SimulatedModel): number {
    const { outage } = model;
    if (model.isFull || (outage && outage.kind !== 'sick')) return Infinity;
    const ms = firstTokenMs(model, this.#asker.freshTokens(model.id)) + model.expectedWaitMs;
    return outage ? ms + SICKNESS_MS / model.instances : ms;
  }
}
